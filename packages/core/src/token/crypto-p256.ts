import { fromBase64url } from "../data/base64url-web.ts";

/** The field's prime and the curve's coefficient (SP 800-186 section 3.2.1.3): y² = x³ − 3x + b. */
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8_aa3a93e7_b3ebbd55_769886bc_651d06b0_cc53b0f6_3bce3c3e_27d2604bn;

/**
 * Whether two coordinates, base64url of 32 bytes each, are a point on P-256. Refuses a coordinate that is not below the prime: it would be a second
 * spelling of another one. Public values only, so it may take longer for some than for others.
 */
export function isP256Point(x: string, y: string): boolean {
  const [left, right] = [numberOf(x), numberOf(y)];
  if (left === undefined || right === undefined) return false;
  return (right * right - left * left * left + 3n * left - B) % P === 0n;
}

function numberOf(coordinate: string): bigint | undefined {
  const bytes = fromBase64url(coordinate);
  if (bytes?.length !== 32) return undefined;
  const number = BigInt(`0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`);
  return number < P ? number : undefined;
}
