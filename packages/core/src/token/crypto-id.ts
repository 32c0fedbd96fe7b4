/** A UUIDv7 (RFC 9562) of a time in milliseconds and the random part of a UUIDv4. */
export function timeOrdered(milliseconds: number, random: string): string {
  const time = Math.floor(milliseconds);
  const high = Math.floor(time / 65_536);
  return `${high.toString(16).padStart(8, "0")}-${(time - high * 65_536).toString(16).padStart(4, "0")}-7${random.slice(15)}`;
}
