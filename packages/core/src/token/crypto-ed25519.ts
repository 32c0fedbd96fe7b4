/**
 * The y coordinates of the points of order 1, 2, 4 and 8, little-endian. The sign bit says nothing here: it only chooses between x and −x.
 * With such a point as key one signature fits many texts. With such a point in a signature, versions of OpenSSL and browsers answer differently.
 */
const SMALL_ORDER: readonly Uint8Array[] = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
].map((hex) => Uint8Array.from({ length: 32 }, (_, index) => Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16)));

/**
 * Whether the first 32 bytes, an encoded point of Ed25519, are neither of small order nor a second spelling, above the field's prime, of another
 * one. Whether they are a point at all is not asked.
 */
export function isOrdinaryPoint(bytes: Uint8Array): boolean {
  const top = (bytes[31] as number) & 0x7f;
  // 2^255 − 19 is ed ff … ff 7f: from there on a coordinate is a second spelling of a smaller one.
  if (top === 0x7f && (bytes[0] as number) >= 0xed && bytes.subarray(1, 31).every((byte) => byte === 0xff)) return false;
  return !SMALL_ORDER.some((point) => point.every((byte, index) => byte === (index === 31 ? top : bytes[index])));
}
