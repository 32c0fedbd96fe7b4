import { createPublicKey } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isP256Point } from "../../src/token/crypto-p256.ts";
import { pair } from "./mint.ts";

const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

const written = (number: bigint): string => Buffer.from(number.toString(16).padStart(64, "0"), "hex").toString("base64url");
const numberOf = (coordinate: unknown): bigint => BigInt(`0x${Buffer.from(coordinate as string, "base64url").toString("hex")}`);

/** What `node:crypto` says of a point. */
function isNodePoint(x: string, y: string): boolean {
  try {
    createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
    return true;
  } catch {
    return false;
  }
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

/** The y of a point with this x; the prime is 3 modulo 4, so a root is a power. Half of all x have none. */
function yOf(x: bigint): bigint | undefined {
  const square = (((x ** 3n - 3n * x + B) % P) + P) % P;
  const root = power(square, (P + 1n) / 4n);
  return (root * root) % P === square ? root : undefined;
}

/** Points with the smallest x, which therefore have a second spelling below 2^256. */
const SMALL = Array.from({ length: 20 }, (_, x) => [BigInt(x), yOf(BigInt(x))] as const).filter((point): point is readonly [bigint, bigint] => !!point[1]);

describe("a point on P-256", () => {
  it("is one for node:crypto too: generated keys and their mirror images", () => {
    for (let round = 0; round < 20; round++) {
      const { x, y } = pair("ES256").jwk as { readonly x: string; readonly y: string };
      const mirrored = written(P - numberOf(y));
      expect([isP256Point(x, y), isNodePoint(x, y)]).toEqual([true, true]);
      expect([isP256Point(x, mirrored), isNodePoint(x, mirrored)]).toEqual([true, true]);
      expect([isP256Point(y, x), isNodePoint(y, x)]).toEqual([false, false]);
    }
  });

  it("has one spelling: a coordinate at or above the prime is refused, as node:crypto refuses it", () => {
    expect(SMALL.length).toBeGreaterThan(5);
    expect(SMALL[0]?.[0]).toBe(0n);
    for (const [x, y] of SMALL) {
      expect([isP256Point(written(x), written(y)), isNodePoint(written(x), written(y))]).toEqual([true, true]);
      expect([isP256Point(written(x + P), written(y)), isNodePoint(written(x + P), written(y))]).toEqual([false, false]);
    }
  });

  it("is told as node:crypto tells it, for any coordinates and for those next to a point and to the prime", () => {
    const near = fc.constantFrom(0n, 1n, 2n, P - 2n, P - 1n, P, P + 1n, 2n ** 255n, 2n ** 256n - 1n, B);
    const coordinate = fc.oneof(near, fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })).map(written);
    fc.assert(
      fc.property(coordinate, coordinate, (x, y) => isP256Point(x, y) === isNodePoint(x, y)),
      { numRuns: 300 },
    );
    const { x, y } = pair("ES256").jwk as { readonly x: string; readonly y: string };
    for (let bit = 0n; bit < 256n; bit++) {
      const changed = written(numberOf(x) ^ (1n << bit));
      expect(isP256Point(changed, y)).toBe(isNodePoint(changed, y));
    }
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: P - 1n }), (number) => {
        const root = yOf(number);
        return root === undefined || (isP256Point(written(number), written(root)) && isNodePoint(written(number), written(root)));
      }),
      { numRuns: 50 },
    );
  });

  it.each<[string, string, string]>([
    ["empty", "", ""],
    ["one byte short", "A".repeat(42), "A".repeat(42)],
    ["one byte long", "A".repeat(44), "A".repeat(44)],
    ["padded", `${"A".repeat(43)}=`, `${"A".repeat(43)}=`],
  ])("is not %s", (_, x, y) => {
    expect(isP256Point(x, y)).toBe(false);
  });
});
