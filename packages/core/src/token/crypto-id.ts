/** A UUIDv7 (RFC 9562) of a time in milliseconds and the random part of a UUIDv4. */
export function timeOrdered(milliseconds: number, random: string): string {
  const time = Math.floor(milliseconds).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`;
}
