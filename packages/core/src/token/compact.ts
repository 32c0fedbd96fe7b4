import { fromBase64url, fromUtf8, toBase64url } from "#base64url";
import { isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";
import type { Algorithm } from "./crypto.ts";
import { parseJson } from "./strict-json.ts";

export type TokenType = "aat+jwt" | "aat-pop+jwt";

/** A JWS in compact serialisation, taken apart, its signature not yet verified and its payload not yet read. */
export interface CompactJws {
  readonly header: Header;
  /** What is signed: header and payload as they came, never written anew. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
  readonly payload: Uint8Array;
}

export interface Header {
  readonly alg: string;
  /** Only ever chooses among configured anchors. */
  readonly kid: string | undefined;
}

/** The members of a JSON object that was signed. */
export interface Payload {
  readonly members: JsonObject;
  /** An integer of the JSON text, without fraction and exponent, that is exact; `undefined` for anything else. */
  readonly integer: (member: string) => number | undefined;
}

/** The protected header that we write, encoded. */
export function encodedHeader(algorithm: Algorithm, type: TokenType): string {
  return WRITTEN[type][algorithm];
}

const written = (type: TokenType): Readonly<Record<Algorithm, string>> => ({
  Ed25519: toBase64url(`{"alg":"Ed25519","typ":"${type}"}`),
  ES256: toBase64url(`{"alg":"ES256","typ":"${type}"}`),
});
const WRITTEN: Readonly<Record<TokenType, Readonly<Record<Algorithm, string>>>> = { "aat+jwt": written("aat+jwt"), "aat-pop+jwt": written("aat-pop+jwt") };

/** Nearly all headers are written like that, and need not be read again. */
const KNOWN: ReadonlyMap<string, { readonly type: string; readonly header: Header }> = new Map(
  Object.entries(WRITTEN).flatMap(([type, headers]) =>
    Object.entries(headers).map(([alg, encoded]) => [encoded, { type, header: { alg, kid: undefined } }] as const),
  ),
);

/**
 * Takes a compact JWS apart and reads its header; refuses with the reason as text. Header members that would supply a key (`jwk`, `jku`, `x5c`,
 * `x5u`) are ignored like all unknown ones; `crit` is refused, because nothing that it could list is understood here.
 */
export function readCompact(text: unknown, type: string, mostBytes: number): CompactJws | string {
  if (typeof text !== "string") return "the token is not text";
  if (text.length > mostBytes) return `the token is larger than ${mostBytes} bytes`;
  const first = text.indexOf(".");
  const last = text.lastIndexOf(".");
  if (first === -1 || text.indexOf(".", first + 1) !== last || first === last) return "the token is not a compact JWS of three parts";
  const [header, payload, signature] = [text.slice(0, first), fromBase64url(text.slice(first + 1, last)), fromBase64url(text.slice(last + 1))];
  if (payload === undefined || signature === undefined) return "a part of the token is not canonical base64url";
  const read = readHeader(header, type);
  return typeof read === "string" ? read : { header: read, signingInput: text.slice(0, last), signature, payload };
}

/** Reads the payload as a JSON object; only ever called after the signature has verified. Refuses with the reason as text. */
export function readPayload(bytes: Uint8Array): Payload | string {
  const text = fromUtf8(bytes);
  const parsed = text === undefined ? "bytes that are not UTF-8" : parseJson(text);
  if (typeof parsed === "string") return `the payload has ${parsed}`;
  const members = plainObject(parsed.value);
  return members === undefined ? "the payload is not an object, or has a member named like one that objects inherit" : payloadOf(members, parsed.fractions);
}

/** `fractions` names the members whose number is written with a fraction or an exponent. */
export function payloadOf(members: JsonObject, fractions?: ReadonlySet<string>): Payload {
  const integer = (member: string): number | undefined => {
    const value = fractions?.has(member) === true ? undefined : own(members, member);
    return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
  };
  return { members, integer };
}

/** Whether the header of a token that was read has no members but those that are understood. */
export function hasPlainHeader(text: string): boolean {
  const encoded = text.slice(0, text.indexOf("."));
  if (KNOWN.has(encoded)) return true;
  const bytes = fromBase64url(encoded);
  const parsed = parseJson((bytes === undefined ? undefined : fromUtf8(bytes)) ?? "");
  return typeof parsed !== "string" && isJsonObject(parsed.value) && Object.keys(parsed.value).every((member) => ["alg", "typ", "kid"].includes(member));
}

function readHeader(encoded: string, type: string): Header | string {
  const known = KNOWN.get(encoded);
  if (known !== undefined) return known.type === type ? known.header : `\`typ\` is not \`${type}\``;
  const bytes = fromBase64url(encoded);
  const text = bytes === undefined ? undefined : fromUtf8(bytes);
  const parsed = text === undefined ? "bytes that are not canonical base64url of UTF-8" : parseJson(text, { depth: 16, nodes: 256, members: 64 });
  if (typeof parsed === "string") return `the header has ${parsed}`;
  const header = plainObject(parsed.value);
  if (header === undefined) return "the header is not an object, or has a member named like one that objects inherit";
  const [alg, kid] = [own(header, "alg"), own(header, "kid")];
  if (typeof alg !== "string") return "`alg` is missing or no text";
  if (own(header, "typ") !== type) return `\`typ\` is not \`${type}\``;
  if (Object.hasOwn(header, "crit")) return "`crit` lists extensions that are not understood";
  if (kid !== undefined && typeof kid !== "string") return "`kid` is no text";
  return { alg, kid };
}

/** No claim and no header is called `__proto__` or `toString`: whoever writes that aims at a reader that looks names up carelessly. */
function plainObject(value: Json): JsonObject | undefined {
  return isJsonObject(value) && !Object.keys(value).some((member) => member in Object.prototype) ? value : undefined;
}
