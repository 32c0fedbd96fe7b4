import { buffer } from "node:stream/consumers";
import { AmbitError } from "@ambit/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createScrubber } from "../../src/scrub/index.ts";
import { type Encoder, ofBytes, ofText } from "./encoders.ts";

const MARK = "[redacted]";
const SECRET = "sk_live-4f/9+Zq&\"x'é %z";

const aText = fc.string({
  unit: fc.constantFrom(..."abAB019+/=-_%\\&;#xun\"'<> \n\ré𝄞", "%2", "\\u", "&#"),
  minLength: 8,
  maxLength: 40,
});
const aSecret = fc.oneof(
  fc.uint8Array({ minLength: 8, maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
  aText.map((text) => Buffer.from(text)),
  fc.base64String({ minLength: 8, maxLength: 200 }).map((text) => Buffer.from(text)),
);
const aTextSecret = aText.map((text) => Buffer.from(text));
const around = fc.array(fc.oneof(aText, fc.constantFrom(MARK, "", "\n", "data: {", "a".repeat(9))), { maxLength: 4 }).map((parts) => parts.join(" ;"));

/** Reads a text cut into pieces through the stream. */
async function streamed(scrubber: { stream(): TransformStream<Uint8Array, Uint8Array> }, bytes: Buffer, cuts: readonly number[]): Promise<Buffer> {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((one, other) => one - other), bytes.length];
  const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
  return buffer(ReadableStream.from(pieces).pipeThrough(scrubber.stream()));
}

function embedded(before: string, encoder: Encoder, secret: Buffer, after: string): Buffer {
  return Buffer.concat([Buffer.from(`${before};`), Buffer.from(encoder.encode(secret)), Buffer.from(`;${after}`)]);
}

describe("a secret", () => {
  it.each([...ofBytes, ...ofText])("is replaced as $name", ({ encode }) => {
    using scrubber = createScrubber([Buffer.from(SECRET)]);
    const encoded = encode(Buffer.from(SECRET)).toString();
    const clean = scrubber.text(`before ${encoded}. after`);
    expect(clean).toMatch(/^before [^ ]{0,30}\[redacted\][^ ]{0,30}\. after$/);
  });

  it("leaves nothing behind, whatever wrote it and whatever stands around it", () => {
    for (const encoder of ofBytes)
      fc.assert(
        fc.property(aSecret, around, around, (secret, before, after) => holds(encoder, secret, before, after)),
        { numRuns: 60 },
      );
    for (const encoder of ofText)
      fc.assert(
        fc.property(aTextSecret, around, around, (secret, before, after) => holds(encoder, secret, before, after)),
        { numRuns: 60 },
      );
  });

  /** Every part of the text between two marks is looked at alone: what remains must not contain the secret as it was written, nor most of it. */
  function holds(encoder: Encoder, secret: Buffer, before: string, after: string): void {
    using scrubber = createScrubber([secret]);
    const clean = Buffer.from(scrubber.bytes(embedded(before, encoder, secret, after)));
    const written = Buffer.from(encoder.encode(secret));
    expect(clean.includes(MARK)).toBe(true);
    for (const part of parts(clean)) {
      expect(part.includes(written)).toBe(false);
      expect(part.includes(secret)).toBe(false);
    }
  }

  it("is replaced in a stream exactly as in one piece, wherever it is cut", async () => {
    const anEncoder = fc.constantFrom(...ofBytes, ...ofText);
    const cuts = fc.array(fc.nat(), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(aTextSecret, { minLength: 1, maxLength: 3 }), anEncoder, around, around, cuts, async (secrets, encoder, before, after, at) => {
        using scrubber = createScrubber(secrets);
        const text = Buffer.concat(secrets.map((secret) => embedded(before, encoder, secret, after)));
        const whole = Buffer.from(scrubber.bytes(text)).toString("latin1");
        expect((await streamed(scrubber, text, at)).toString("latin1")).toBe(whole);
        const every = Array.from({ length: text.length }, (_, index) => index);
        expect((await streamed(scrubber, text, every)).toString("latin1")).toBe(whole);
      }),
      { numRuns: 400 },
    );
  });

  it("is replaced by the edge characters too that base64 shares with its neighbours", () => {
    using scrubber = createScrubber([Buffer.from("hunter2-hunter2")]);
    for (let before = 0; before < 6; before++) {
      const [left, right] = ["<".repeat(before), ">".repeat(6)];
      const encoded = Buffer.from(`${left}hunter2-hunter2${right}`).toString("base64");
      const [head = "", tail = ""] = scrubber.text(encoded).split(MARK);
      expect(Buffer.from(head, "base64").toString()).toMatch(/^<*$/);
      expect(head.length * 6).toBeLessThanOrEqual(before * 8);
      expect(tail.replaceAll("=", "").length * 6).toBeLessThanOrEqual(6 * 8);
    }
  });

  it("that overlaps another, or itself, leaves no end of either", () => {
    using two = createScrubber([Buffer.from("0123456789"), Buffer.from("6789abcdef")]);
    expect(two.text("x0123456789abcdefx")).toBe(`x${MARK}x`);
    using itself = createScrubber([Buffer.from("abababab")]);
    expect(itself.text("xabababababababx")).toBe(`x${MARK}x`);
    expect(itself.text("abababab abababab")).toBe(`${MARK} ${MARK}`);
  });

  it("is read as the whole is read where the held back piece begins within an escape sequence", async () => {
    using scrubber = createScrubber([Buffer.from('n"yabcdef'), Buffer.from('\\n\\"zzzz')]);
    const text = Buffer.from('aa\\\\n\\"yabcdef.');
    expect(scrubber.text(text.toString())).toBe(`aa\\\\${MARK}.`);
    expect((await streamed(scrubber, text, [7])).toString()).toBe(`aa\\\\${MARK}.`);
  });

  it("that never ends in a stream holds back no more than itself", async () => {
    using scrubber = createScrubber([Buffer.from("aaaaaaaa")]);
    const { readable, writable } = scrubber.stream();
    const given = buffer(readable);
    const writer = writable.getWriter();
    for (let piece = 0; piece < 2000; piece++) await writer.write(Buffer.from("a".repeat(100)));
    await writer.write(Buffer.from("!"));
    await writer.close();
    expect((await given).toString()).toBe(`${MARK}!`);
  });

  it("of less than 8 bytes is refused", () => {
    for (const short of ["", "1234567"]) expect(codeOf(() => createScrubber([Buffer.from(short)]))).toBe("credential_unavailable");
    expect(createScrubber([Buffer.from("12345678")]).text("12345678")).toBe(MARK);
  });

  it("is wiped with its scrubber, which then gives nothing any more", () => {
    const scrubber = createScrubber([Buffer.from("12345678")]);
    scrubber[Symbol.dispose]();
    expect(() => scrubber.text("12345678")).toThrow(TypeError);
    expect(() => scrubber.stream()).toThrow(TypeError);
  });
});

describe("everything else", () => {
  it("stays as it is, in one piece and in many", async () => {
    const text = fc.oneof(around, fc.string({ unit: "binary" }), fc.json());
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(), { maxLength: 9 }), async (given, cuts) => {
        using scrubber = createScrubber([Buffer.from("no such secret in there")]);
        expect(scrubber.text(given)).toBe(given);
        expect(await streamed(scrubber, Buffer.from(given), cuts)).toEqual(Buffer.from(given));
      }),
      { numRuns: 500 },
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(), { maxLength: 9 }), async (given, cuts) => {
        using scrubber = createScrubber([]);
        expect(Buffer.from(scrubber.bytes(given))).toEqual(Buffer.from(given));
        expect(await streamed(scrubber, Buffer.from(given), cuts)).toEqual(Buffer.from(given));
      }),
    );
  });

  it("is not held back: an event of a stream comes when it ends", async () => {
    using scrubber = createScrubber([Buffer.from("secret-secret")]);
    const { readable, writable } = scrubber.stream();
    const [reader, writer] = [readable.getReader(), writable.getWriter()];
    for (const event of ["event: message\ndata: {}\n\n", "data: word\n\n", "data: one\r\n\r\n"]) {
      void writer.write(Buffer.from(event));
      let given = "";
      while (given.length < event.length) given += Buffer.from((await reader.read()).value ?? []).toString();
      expect(given).toBe(event);
    }
    await reader.cancel();
  });

  it("is gone through in time that grows with its length, whatever it is made of", () => {
    using scrubber = createScrubber([Buffer.from(SECRET), Buffer.from("a".repeat(64) + "c")]);
    for (const piece of ["%25", "\\\\", "&amp;", "&#x26;", "a\n", "a\r\n", "\\u0025", "%5C%5C", "a".repeat(64) + "b", SECRET.slice(0, -1)]) {
      const text = piece.repeat(Math.ceil(400_000 / piece.length));
      expect(scrubber.text(text)).toBe(text);
    }
  }, 60_000);
});

describe("values", () => {
  const canary = "canary-0123456789";

  it("are cleaned with the names of their members, and keep their shape", () => {
    using scrubber = createScrubber([Buffer.from(canary), Buffer.from("1234567890")]);
    const given = { a: [1, null, true, `x${canary}`, { [canary]: canary }], n: 1234567890, m: 12345, b: 1234567890n, bytes: Buffer.from(canary) };
    expect(scrubber.value(given)).toEqual({ a: [1, null, true, `x${MARK}`, { [MARK]: MARK }], n: MARK, m: 12345, b: MARK, bytes: Buffer.from(MARK) });
    expect(given.a[3]).toBe(`x${canary}`);
  });

  it("of JSON without a secret come back equal", () => {
    using scrubber = createScrubber([Buffer.from(canary)]);
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(scrubber.value(value)).toEqual(value);
      }),
    );
    const hostile: unknown = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"half":"\\ud800"}');
    expect(JSON.stringify(scrubber.value(hostile))).toBe(JSON.stringify(hostile));
  });

  it("are cleaned wherever in them a secret stands, and stay JSON", () => {
    const anEncoder = fc.constantFrom(...ofBytes, ...ofText);
    fc.assert(
      fc.property(aTextSecret, anEncoder, fc.jsonValue(), (secret, { encode }, value) => {
        using scrubber = createScrubber([secret]);
        const written = Buffer.from(encode(secret)).toString();
        const clean = JSON.stringify(scrubber.value({ value, deep: [{ [`k ${written} k`]: `v ${written} v` }] }));
        const { deep } = JSON.parse(clean) as { deep: Record<string, string>[] };
        for (const text of Object.entries(deep[0] ?? {}).flat()) {
          expect(text).toContain(MARK);
          for (const part of parts(Buffer.from(text))) expect(part.includes(written)).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("that are errors are cleaned in message, stack, cause and members, and keep their code", () => {
    using scrubber = createScrubber([Buffer.from(canary)]);
    const cause = Object.assign(new TypeError(`inner ${canary}`), { body: { token: canary }, headers: [canary] });
    const error = new AmbitError("upstream_unavailable", `outer ${canary}`, { cause, hint: `try ${canary}` });
    const clean = scrubber.value(error);
    expect(AmbitError.isInstance(clean)).toBe(true);
    expect(clean).toMatchObject({ code: "upstream_unavailable", name: "AmbitError", message: `outer ${MARK}; try ${MARK}`, summary: `outer ${MARK}` });
    expect(clean).toBeInstanceOf(Error);
    expect((clean as Error).cause).toMatchObject({ name: "TypeError", message: `inner ${MARK}`, body: { token: MARK }, headers: [MARK] });
    expect(everything(clean)).not.toContain(canary);
    expect(everything(error)).toContain(canary);

    const aggregate = scrubber.value(new AggregateError([error, canary], canary));
    expect(everything(aggregate)).not.toContain(canary);
    const aborted = scrubber.value(new DOMException(canary, "AbortError"));
    expect(aborted).toMatchObject({ name: "AbortError", message: MARK });
  });

  it("that contain themselves do too afterwards", () => {
    using scrubber = createScrubber([Buffer.from(canary)]);
    const error: Error & { self?: unknown } = new Error(canary);
    error.self = { error };
    const clean = scrubber.value(error) as typeof error;
    expect((clean.self as { error: unknown }).error).toBe(clean);
  });
});

function parts(clean: Buffer): readonly Buffer[] {
  return clean
    .toString("latin1")
    .split(MARK)
    .map((part) => Buffer.from(part, "latin1"));
}

/** All that a logger could get hold of. */
function everything(value: unknown, seen = new Set<unknown>()): string {
  if (typeof value !== "object" || value === null) return String(value);
  if (seen.has(value)) return "";
  seen.add(value);
  return Reflect.ownKeys(value)
    .map((key) => `${String(key)} ${everything((value as Record<PropertyKey, unknown>)[key], seen)}`)
    .join(" ");
}

function codeOf(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}
