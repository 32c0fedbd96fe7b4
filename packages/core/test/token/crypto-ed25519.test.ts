import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isOrdinaryPoint } from "../../src/token/crypto-ed25519.ts";

const P = 2n ** 255n - 19n;
const D = (P - 121665n) * power(121666n, P - 2n);

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

const encoded = (y: bigint, sign = 0): Uint8Array => {
  const bytes = Uint8Array.from(Buffer.from(y.toString(16).padStart(64, "0"), "hex").reverse());
  bytes[31] = (bytes[31] as number) | (sign << 7);
  return bytes;
};

/** The double of a point of order 8 is of order 4 and has y = 0, so x² = −y² (RFC 8032 section 5.1.4), and the curve says d·y⁴ + 2y² − 1 = 0. */
const isOfOrder8 = (y: bigint): boolean => (((D * y ** 4n + 2n * y ** 2n - 1n) % P) + P) % P === 0n;

describe("a point of Ed25519", () => {
  const order8 = ["26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"].map(
    (hex) => BigInt(`0x${Buffer.from(hex, "hex").reverse().toString("hex")}`),
  );

  it("is refused when it is of order 1, 2, 4 or 8, with either sign, and its neighbours are not", () => {
    for (const y of order8) expect(isOfOrder8(y)).toBe(true);
    for (const y of [0n, 1n, P - 1n, ...order8]) {
      for (const sign of [0, 1]) expect(isOrdinaryPoint(encoded(y, sign)), y.toString(16)).toBe(false);
      for (const near of [y + 3n, y ^ (1n << 8n), y ^ (1n << 128n), y ^ (1n << 250n)]) expect(isOrdinaryPoint(encoded(near % P)), near.toString(16)).toBe(true);
    }
  });

  it("is refused in a spelling at or above the prime, all nineteen of them, and taken right below", () => {
    for (let above = P; above < 2n ** 255n; above++) for (const sign of [0, 1]) expect(isOrdinaryPoint(encoded(above, sign))).toBe(false);
    expect(isOrdinaryPoint(encoded(P - 2n))).toBe(true);
    for (let bit = 8n; bit < 255n; bit++) expect(isOrdinaryPoint(encoded(P ^ (1n << bit))), `bit ${bit}`).toBe(true);
  });

  it("is told by its first 32 bytes", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n, max: P - 2n }), fc.uint8Array({ minLength: 32, maxLength: 32 }), (y, rest) => {
        expect(isOrdinaryPoint(Buffer.concat([encoded(y), rest]))).toBe(!order8.includes(y));
        expect(isOrdinaryPoint(Buffer.concat([encoded(1n), rest]))).toBe(false);
      }),
    );
  });
});
