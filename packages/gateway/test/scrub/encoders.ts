/** One way in which programs write a secret down. Written with what the platform has, not with what is tested. */
export interface Encoder {
  readonly name: string;
  readonly encode: (secret: Buffer) => string | Buffer;
}

const each = (secret: Buffer, write: (character: string) => string): string => Array.from(secret.toString(), write).join("");
const eachByte = (bytes: Buffer, write: (hex: string) => string): string => Array.from(bytes, (byte) => write(byte.toString(16).padStart(2, "0"))).join("");
const units = (text: string, write: (hex: string) => string): string =>
  Array.from({ length: text.length }, (_, index) => write(text.charCodeAt(index).toString(16).padStart(4, "0"))).join("");

/** What takes any bytes. */
export const ofBytes: readonly Encoder[] = [
  { name: "raw", encode: (secret) => secret },
  { name: "hex", encode: (secret) => secret.toString("hex") },
  { name: "upper hex", encode: (secret) => secret.toString("hex").toUpperCase() },
  ...[0, 1, 2, 3, 4, 5].flatMap((before): readonly Encoder[] =>
    (["base64", "base64url"] as const).map((alphabet) => ({
      name: `${alphabet} with ${before} bytes before and as many after`,
      encode: (secret) => Buffer.concat([Buffer.alloc(before, "<"), secret, Buffer.alloc(before, ">")]).toString(alphabet),
    })),
  ),
  { name: "base64 in lines", encode: (secret) => lines(Buffer.concat([Buffer.from("user:"), secret]).toString("base64"), 20, "\n") },
  { name: "base64 in lines of CRLF", encode: (secret) => lines(secret.toString("base64"), 7, "\r\n") },
  { name: "base64 without padding", encode: (secret) => secret.toString("base64").replaceAll("=", "") },
  { name: "every byte percent-encoded", encode: (secret) => eachByte(secret, (hex) => `%${hex}`) },
  { name: "every byte percent-encoded, upper case", encode: (secret) => eachByte(secret, (hex) => `%${hex.toUpperCase()}`) },
  { name: "every byte as \\x", encode: (secret) => eachByte(secret, (hex) => `\\x${hex}`) },
  { name: "base64 in a query", encode: (secret) => encodeURIComponent(secret.toString("base64")) },
  { name: "base64 with escaped slashes", encode: (secret) => secret.toString("base64").replaceAll("/", "\\/") },
];

/** What takes text. */
export const ofText: readonly Encoder[] = [
  { name: "encodeURIComponent", encode: (secret) => encodeURIComponent(secret.toString()) },
  { name: "encodeURI", encode: (secret) => encodeURI(secret.toString()) },
  { name: "a form", encode: (secret) => new URLSearchParams({ a: secret.toString() }).toString().slice(2) },
  { name: "JSON", encode: (secret) => JSON.stringify(secret.toString()) },
  { name: "JSON in JSON", encode: (secret) => JSON.stringify(JSON.stringify({ key: secret.toString() })) },
  { name: "JSON in a query", encode: (secret) => encodeURIComponent(JSON.stringify(secret.toString())) },
  { name: "JSON, all \\u", encode: (secret) => units(secret.toString(), (hex) => `\\u${hex}`) },
  { name: "JSON, all \\u, upper case", encode: (secret) => units(secret.toString(), (hex) => `\\u${hex.toUpperCase()}`) },
  { name: "HTML, decimal", encode: (secret) => each(secret, (character) => `&#${character.codePointAt(0)};`) },
  { name: "HTML, hexadecimal", encode: (secret) => each(secret, (character) => `&#x00${character.codePointAt(0)?.toString(16)};`) },
  { name: "HTML, names", encode: (secret) => each(secret, (character) => NAMES[character] ?? character) },
];

const NAMES: Readonly<Record<string, string>> = { "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "'": "&#39;" };

function lines(text: string, length: number, end: string): string {
  return Array.from({ length: Math.ceil(text.length / length) }, (_, index) => text.slice(index * length, (index + 1) * length)).join(end);
}
