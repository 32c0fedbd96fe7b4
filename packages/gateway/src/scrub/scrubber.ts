import { types } from "node:util";
import { backslash, percent, plus, reference, wrap, wrapWithReturn } from "./escapes.ts";
import { needlesOf } from "./needles.ts";
import { createRedaction, MARK, type Redaction } from "./redaction.ts";
import { createSearch } from "./search.ts";

/** Replaces each leased secret with `[redacted]`, and changes nothing else. */
export interface Scrubber extends Disposable {
  text(text: string): string;
  bytes(bytes: Uint8Array): Uint8Array;
  /**
   * Values of JSON, names of members included, and errors with what hangs on them. Of other objects remains what they own and can be enumerated; functions and symbols become
   * `undefined`. A number that spells a secret becomes the mark. Two names that become the same leave one member.
   */
  value(value: unknown): unknown;
  /** For bytes that come in pieces. A piece that could be the beginning of a secret waits for the next. */
  stream(): TransformStream<Uint8Array, Uint8Array>;
  /** Wipes the secrets; after that everything throws. */
  [Symbol.dispose](): void;
}

/**
 * INVARIANT I10: finds each secret as it is, in hex of either case and in base64 of either alphabet, wherever it begins in there, with or without line breaks; each of these also percent-encoded, escaped
 * with backslashes as in JSON and as character references of HTML, wholly or in part, twice over; also across the pieces of a stream. It does not find what is compressed, encrypted, cut in parts,
 * or written in an encoding of text that is not UTF-8.
 *
 * Throws `credential_unavailable` for a secret of less than 8 bytes.
 */
export function createScrubber(secrets: readonly Uint8Array[]): Scrubber {
  const needles = needlesOf(secrets);
  const search = createSearch(needles);
  const escapes = [percent, backslash, reference, wrap, wrapWithReturn, ...(secrets.some((secret) => secret.includes(0x20)) ? [plus] : [])];
  // No way of writing bytes takes fewer characters than they have, where they are text.
  const fewest = Math.min(...secrets.map((secret) => secret.filter((byte) => (byte & 0xc0) !== 0x80).length));
  let isWiped = false;

  const open = (): Redaction => {
    if (isWiped) throw new TypeError("the scrubber is disposed of");
    return createRedaction(search, escapes);
  };
  const bytes = (given: Uint8Array): Uint8Array => open().push(given, true);
  const text = (given: string): string => {
    if (given.length < fewest && !isWiped) return given;
    const utf8 = Buffer.from(given);
    const clean = bytes(utf8);
    // Half a surrogate pair is not the same after UTF-8.
    return clean === utf8 || utf8.equals(clean) ? given : Buffer.from(clean).toString();
  };

  const visit = (value: unknown, seen: Map<object, unknown>): unknown => {
    if (typeof value === "string") return text(value);
    if (typeof value === "number" || typeof value === "bigint") return text(String(value)).includes(MARK) ? MARK : value;
    if (typeof value === "function" || typeof value === "symbol") return undefined;
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    if (value instanceof Uint8Array) return bytes(value);
    if (Array.isArray(value)) {
      const list: unknown[] = [];
      seen.set(value, list);
      for (const element of value) list.push(visit(element, seen));
      return list;
    }
    const copy: object = types.isNativeError(value) || value instanceof Error ? new Error() : {};
    seen.set(value, copy);
    if (copy instanceof Error)
      for (const [key, member] of membersOf(value as Error)) define(copy, key, visit(member, seen), Object.keys(value).includes(String(key)));
    else for (const [key, member] of Object.entries(value)) define(copy, text(key), visit(member, seen), true);
    return copy;
  };

  return {
    text,
    bytes,
    value: (value) => visit(value, new Map()),
    stream: () => {
      const redaction = open();
      const give = (controller: TransformStreamDefaultController<Uint8Array>, clean: Uint8Array): void => {
        if (clean.length > 0) controller.enqueue(clean);
      };
      return new TransformStream({
        transform: (chunk, controller) => give(controller, redaction.push(chunk, false)),
        flush: (controller) => give(controller, redaction.push(new Uint8Array(0), true)),
      });
    },
    [Symbol.dispose]: () => {
      isWiped = true;
      for (const needle of needles) needle.bytes.fill(0);
    },
  };
}

/** What an error says, whichever of it is its own. The copy is of no class: methods and getters of classes do not work on one. */
function membersOf(error: Error): readonly (readonly [PropertyKey, unknown])[] {
  const own = Reflect.ownKeys(error).map((key) => [key, error[key as keyof Error]] as const);
  return [["name", error.name], ["message", error.message], ["stack", error.stack], ...own];
}

function define(object: object, key: PropertyKey, value: unknown, enumerable: boolean): void {
  // What is assigned to `__proto__` becomes no member.
  if (enumerable && key !== "__proto__") (object as Record<PropertyKey, unknown>)[key] = value;
  else Object.defineProperty(object, key, { value, enumerable, writable: true, configurable: true });
}
