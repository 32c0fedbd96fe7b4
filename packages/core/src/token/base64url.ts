// base64url and UTF-8, chosen like `crypto.ts`: with `Buffer` in a Node process, without it elsewhere.
export { bytesToBase64url, fromBase64url, fromUtf8, toBase64url } from "#base64url";
