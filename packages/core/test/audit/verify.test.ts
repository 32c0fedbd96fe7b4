import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lineHash } from "../../src/audit/chain.ts";
import { createMemoryLog } from "../../src/audit/memory-log.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import { canonicalJson } from "../../src/data/canonical.ts";
import type { Json } from "../../src/data/json.ts";
import { rejectionOf } from "../support/codes.ts";
import { body } from "../support/records.ts";

const NOW = Date.UTC(2026, 4, 12);

async function logOf(count: number, tenant = "t"): Promise<{ readonly text: string; readonly lines: readonly string[] }> {
  const log = createMemoryLog({ now: () => NOW });
  for (let index = 0; index < count; index += 1)
    await log.append(body({ tenant, decision_id: `dec_${index}`, details: { label: `ü\ufffd${index}`, n: index } }));
  return { text: log.text(), lines: log.text().split("\n").slice(0, -1) };
}
const joined = (lines: readonly (string | undefined)[]): string => lines.map((line) => `${line}\n`).join("");
const at = (text: string | Uint8Array): number | "intact" => {
  const verified = verifyLog(text);
  return verified.intact ? "intact" : verified.at;
};

describe("verifyLog", () => {
  it("takes a log as it was written, as text and as bytes", async () => {
    const { text, lines } = await logOf(5);
    const verified = verifyLog(text);
    expect(verifyLog(Buffer.from(text))).toStrictEqual(verified);
    expect(verified.intact && verified.records.map(({ seq, decision_id: id, ts }) => [seq, id, ts])).toStrictEqual(
      lines.map((_, index) => [index + 1, `dec_${index}`, "2026-05-12T00:00:00.000Z"]),
    );
    expect(at("")).toBe("intact");
  });

  it("ends where the last receipt says", async () => {
    const log = createMemoryLog();
    await log.append(body());
    const receipt = await log.append(body());
    expect(verifyLog(log.text())).toMatchObject({ intact: true, end: receipt });
  });

  it("notices every changed byte of every record that another one follows", async () => {
    const { text, lines } = await logOf(3);
    const bytes = Buffer.from(text);
    const followed = Buffer.byteLength(joined(lines.slice(0, 2)));
    const unnoticed: number[] = [];
    // Every position, with the changes that a byte can suffer: another letter, another case, a quote, a line feed, NUL, no UTF-8.
    for (let position = 0; position < followed; position += 1) {
      for (const value of [(bytes[position] as number) ^ 1, (bytes[position] as number) ^ 0x20, 0x22, 0x0a, 0x00, 0xff]) {
        if (value === bytes[position]) continue;
        const changed = Buffer.from(bytes);
        changed[position] = value;
        if (verifyLog(changed).intact) unnoticed.push(position);
      }
    }
    expect(unnoticed).toStrictEqual([]);
  });

  it("notices bytes that are put in or taken out", async () => {
    const { text, lines } = await logOf(3);
    const bytes = Buffer.from(text);
    const followed = Buffer.byteLength(joined(lines.slice(0, 2)));
    fc.assert(
      fc.property(fc.nat({ max: followed - 1 }), fc.uint8Array({ maxLength: 4 }), fc.nat({ max: 4 }), (position, inserted, removed) => {
        const changed = Buffer.concat([bytes.subarray(0, position), inserted, bytes.subarray(position + removed)]);
        if (!changed.equals(bytes)) expect(verifyLog(changed).intact).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("notices bytes that are no UTF-8 where a replacement character stood", async () => {
    const { text } = await logOf(3);
    const bytes = Buffer.from(text);
    const position = bytes.indexOf(Buffer.from("\ufffd"));
    const changed = Buffer.concat([bytes.subarray(0, position), Buffer.of(0xff), bytes.subarray(position + 3)]);
    expect(changed.toString("utf8")).toBe(text); // read leniently, nothing happened
    expect(at(changed)).toBe(1);
  });

  it("says at which record the chain breaks", async () => {
    const { lines } = await logOf(5);
    const [a, b, c, d, e] = lines;
    expect(at(joined([a, b, d, e]))).toBe(3); // dropped
    expect(at(joined([b, c, d, e]))).toBe(1); // dropped at the beginning
    expect(at(joined([a, c, b, d, e]))).toBe(2); // reordered
    expect(at(joined([a, b, b, c, d, e]))).toBe(3); // repeated
    expect(at(joined([a, b, c, d, e, e]))).toBe(6); // repeated at the end
    expect(at(joined([a, b, c, "", d, e]))).toBe(4); // an empty line
    expect(at(joined([a, b, c?.replace("{", "{ "), d, e]))).toBe(3); // the same data, written otherwise
    expect(at(joined([a, b, c?.replace("{", '{"agent":"z",'), d, e]))).toBe(3); // a member that is repeated
    expect(at(joined(lines).replaceAll("\n", "\r\n"))).toBe(1);
    expect(at(`\ufeff${joined(lines)}`)).toBe(1);
    expect(at(joined(lines).slice(0, -1))).toBe(5); // torn
  });

  it("notices numbers that do not follow one another, in a chain that holds otherwise", async () => {
    const { lines } = await logOf(1);
    const first = lines[0] ?? "";
    const second = (seq: number): string => canonicalJson({ ...JSON.parse(first), seq, prev: lineHash(first) } as Json);
    expect(at(joined([first, second(2)]))).toBe("intact");
    for (const seq of [1, 3, 0, -2]) expect(at(joined([first, second(seq)]))).toBe(2);
  });

  it("notices records of another log, even where they fit by number", async () => {
    const [one, other] = [await logOf(3), await logOf(4, "other")];
    expect(at(joined([...one.lines, other.lines[3]]))).toBe(4);
    expect(at(joined([one.lines[0], other.lines[1], one.lines[2]]))).toBe(2);
  });

  it("notices an edited record by the one that follows it", async () => {
    const { text } = await logOf(3);
    expect(at(text.replace("dec_1", "dec_9"))).toBe(3);
  });

  it("does not notice that the end is missing or changed: only a receipt kept elsewhere shows that", async () => {
    const { text, lines } = await logOf(3);
    const [whole, cut, edited] = [verifyLog(text), verifyLog(joined(lines.slice(0, 2))), verifyLog(text.replace("dec_2", "dec_9"))];
    expect([cut.intact, edited.intact]).toStrictEqual([true, true]);
    const receipt = whole.intact && whole.end;
    expect(cut.intact && cut.end).not.toStrictEqual(receipt);
    expect(edited.intact && edited.end).not.toStrictEqual(receipt);
  });

  it.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["null", "null"],
    ["an object without anything", "{}"],
    ["members of other kinds", '{"agent":1}'],
    ["a prototype", '{"__proto__":{}}'],
  ])("refuses a line that is %s", (_, line) => {
    expect(at(`${line}\n`)).toBe(1);
  });
});

describe("a log in memory", () => {
  it("refuses what could not be read again, and goes on", async () => {
    const log = createMemoryLog();
    const broken = [
      { details: { a: Number.NaN } },
      { details: { a: "\ud800" } },
      { details: { a: () => 1 } },
      { details: undefined },
      { details: [] },
      { tenant: undefined },
      { task: 1 },
      { agent: "a\0" },
      { details: { text: "a".repeat(300_000) } },
    ];
    await log.append(body());
    for (const change of broken) expect(await rejectionOf(log.append(body(change as never)))).toBe("log_unavailable");
    await log.append(body());
    const verified = verifyLog(log.text());
    expect(verified.intact && verified.records.map(({ seq }) => seq)).toStrictEqual([1, 2]);
  });

  it("keeps its own members, whatever a body says of them", async () => {
    const log = createMemoryLog({ now: () => NOW });
    await log.append({ ...body(), seq: 7, log: "mine", prev: "x", v: 9, ts: "never" } as never);
    expect(verifyLog(log.text())).toMatchObject({ intact: true, records: [{ seq: 1, v: 1, ts: "2026-05-12T00:00:00.000Z" }] });
  });

  it("gives every log another id", async () => {
    const ids = [createMemoryLog(), createMemoryLog()].map((log) => log.append(body()));
    const [a, b] = await Promise.all(ids);
    expect(a?.log).not.toBe(b?.log);
  });
});
