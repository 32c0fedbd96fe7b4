import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFileLog } from "../../src/audit/file-log.ts";
import type { Receipt } from "../../src/audit/record.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import { rejectionOf } from "../support/codes.ts";
import { disk, type Operation } from "../support/disk.ts";
import { body } from "../support/records.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ambit-log-"));
  path = join(folder, "decisions.jsonl");
});
afterEach(() => {
  disk.restore();
  return rm(folder, { recursive: true });
});

const verified = async () => verifyLog(await readFile(path));
async function written(count: number): Promise<readonly Receipt[]> {
  await using log = await openFileLog(path);
  const receipts: Receipt[] = [];
  for (let index = 0; index < count; index += 1) receipts.push(await log.append(body({ decision_id: `dec_${index}` })));
  return receipts;
}

describe("openFileLog", () => {
  it("writes one record after the other, each durable when `append` resolves", async () => {
    await using log = await openFileLog(path, { now: () => Date.UTC(2026, 4, 12) });
    for (let count = 1; count <= 5; count += 1) {
      const receipt = await log.append(body({ decision_id: `dec_${count}` }));
      expect(await verified()).toMatchObject({ intact: true, end: receipt });
      expect(receipt.seq).toBe(count);
    }
  });

  it("numbers records in the order of `append`, however many wait", async () => {
    await using log = await openFileLog(path);
    const receipts = await Promise.all(Array.from({ length: 500 }, (_, index) => log.append(body({ decision_id: `dec_${index}` }))));
    expect(receipts.map(({ seq }) => seq)).toStrictEqual(receipts.map((_, index) => index + 1));
    const log2 = await verified();
    expect(log2.intact && log2.records.map(({ decision_id: id }) => id)).toStrictEqual(receipts.map((_, index) => `dec_${index}`));
  });

  it("resolves in order, and never leaves a record behind", async () => {
    await using log = await openFileLog(path);
    const order: number[] = [];
    const chains = Array.from({ length: 8 }, async (_, chain) => {
      for (let step = 0; step < 40; step += 1) {
        order.push((await log.append(body())).seq);
        if ((step + chain) % 3 === 0) await new Promise(setImmediate);
      }
    });
    await Promise.all(chains);
    expect(order).toHaveLength(320);
    expect(order).toStrictEqual([...order].sort((a, b) => a - b));
  });

  it("makes a batch durable before it resolves any of it", async () => {
    const events: string[] = [];
    await disk.watch((operation) => void events.push(operation));
    await using log = await openFileLog(path);
    await Promise.all([log.append(body()).then(() => events.push("a")), log.append(body()).then(() => events.push("b"))]);
    await log.append(body()).then(() => events.push("c"));
    expect(events).toStrictEqual(["written", "synced", "a", "b", "written", "synced", "c"]);
  });

  it("continues the chain of a file that is there", async () => {
    const first = await written(2);
    const second = await written(2);
    expect([...first, ...second].map(({ seq }) => seq)).toStrictEqual([1, 2, 3, 4]);
    expect(new Set([...first, ...second].map(({ log }) => log)).size).toBe(1);
    expect(await verified()).toMatchObject({ intact: true, end: second[1] });
  });

  it.each(["{", '{"agent":"a"', " ", "\0"])("cuts off a last line that a crash has torn: %j", async (torn) => {
    const [, last] = await written(2);
    await appendFile(path, torn);
    expect((await verified()).intact).toBe(false);
    expect((await written(1))[0]?.seq).toBe(3);
    expect(await verified()).toMatchObject({ intact: true });
    expect(last?.seq).toBe(2);
  });

  it("cuts off a last line that is whole but for its end, even in the middle of a character", async () => {
    await written(3);
    const { size } = await stat(path);
    await truncate(path, size - 1);
    expect((await written(1))[0]?.seq).toBe(3);
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.of(0xc3)]));
    expect((await written(1))[0]?.seq).toBe(4);
    expect(await verified()).toMatchObject({ intact: true });
  });

  it("refuses a file whose chain does not hold, and leaves it as it is", async () => {
    await written(3);
    const text = await readFile(path, "utf8");
    for (const tampered of [text.replace("dec_1", "dec_9"), text.split("\n").slice(1).join("\n"), `${text}{}\n`, "not a log\n", "\n"]) {
      await writeFile(path, tampered);
      expect(await rejectionOf(openFileLog(path))).toBe("log_corrupt");
      expect(await readFile(path, "utf8")).toBe(tampered);
    }
  });

  it.each(['{"manifest":"ambit.manifest.json"}', "the only copy of something", '{"agents":{}}\n', "\0", "["])(
    "refuses a file that is no log, and leaves it as it is: %j",
    async (content) => {
      await writeFile(path, content);
      expect(await rejectionOf(openFileLog(path))).toBe("log_corrupt");
      expect(await readFile(path, "utf8")).toBe(content);
    },
  );

  it.each(["{", '{"agent":"a","deci'])("takes a file that has only the beginning of a first record for a new one: %j", async (torn) => {
    await writeFile(path, torn);
    expect((await written(1))[0]?.seq).toBe(1);
    expect(await verified()).toMatchObject({ intact: true });
  });

  it("refuses a path that it cannot open", async () => {
    expect(await rejectionOf(openFileLog(join(folder, "missing", "log")))).toBe("log_unavailable");
    expect(await rejectionOf(openFileLog(folder))).toBe("log_unavailable");
  });

  it("is readable by its owner only", async () => {
    await written(1);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("rejects a body that could not be read again, and no other one of its batch", async () => {
    await using log = await openFileLog(path);
    const [a, b, c] = await Promise.allSettled([log.append(body()), log.append(body({ details: { n: Number.NaN } as never })), log.append(body())]);
    expect([a.status, b.status, c.status]).toStrictEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(b.status === "rejected" && (b.reason as { code: string }).code).toBe("log_unavailable");
    expect(c.status === "fulfilled" && c.value.seq).toBe(2);
    expect((await verified()).intact).toBe(true);
  });

  it("refuses rather than queues without end", async () => {
    await using log = await openFileLog(path);
    const many = Array.from({ length: 10_050 }, () =>
      log.append(body()).then(
        () => "written",
        (error: { code: string }) => error.code,
      ),
    );
    const results = await Promise.all(many);
    expect(results.filter((result) => result === "log_unavailable")).toHaveLength(50);
    expect((await log.append(body())).seq).toBe(10_001);
  });
});

describe("two writers on one file", () => {
  it("do not break the chain: who sees what the other wrote refuses, until the file is opened anew", async () => {
    const [one, two] = [await openFileLog(path), await openFileLog(path)];
    const first = await one.append(body({ decision_id: "one" }));
    for (let attempt = 0; attempt < 2; attempt += 1) expect(await rejectionOf(two.append(body({ decision_id: "two" })))).toBe("log_unavailable");
    expect((await one.append(body())).seq).toBe(2);
    await two.close();
    expect((await one.append(body())).seq).toBe(3); // closing has cut nothing off
    await one.close();
    expect(first.seq).toBe(1);
    expect((await written(1))[0]?.seq).toBe(4);
    expect(await verified()).toMatchObject({ intact: true });
  });

  it("are noticed even when the file is as long again as it was", async () => {
    await using log = await openFileLog(path);
    await log.append(body());
    const { size } = await stat(path);
    await appendFile(path, "x");
    expect(await rejectionOf(log.append(body()))).toBe("log_unavailable");
    await truncate(path, size);
    expect(await rejectionOf(log.append(body()))).toBe("log_unavailable");
  });
});

describe("a write that fails", () => {
  const failOnce = (failing: Operation): ((operation: Operation) => void) => {
    let hasFailed = false;
    return (operation) => {
      if (operation !== failing || hasFailed) return;
      hasFailed = true;
      throw new Error("ENOSPC");
    };
  };

  it.each(["written", "synced"] as const)("refuses the whole batch, and none of it stays (when it fails once %s)", async (failing) => {
    await using log = await openFileLog(path);
    const first = await log.append(body({ decision_id: "kept" }));
    await disk.watch(failOnce(failing));
    const batch = [log.append(body({ decision_id: "refused" })), log.append(body({ decision_id: "refused" }))];
    expect(await Promise.all(batch.map(rejectionOf))).toStrictEqual(["log_unavailable", "log_unavailable"]);
    const next = await log.append(body({ decision_id: "after" }));
    expect([first.seq, next.seq]).toStrictEqual([1, 2]);
    const after = await verified();
    expect(after.intact && after.records.map(({ decision_id: id }) => id)).toStrictEqual(["kept", "after"]);
  });

  it("leaves nothing of a refused record behind when the log is closed then", async () => {
    const log = await openFileLog(path);
    await log.append(body({ decision_id: "kept" }));
    await disk.watch(failOnce("synced"));
    expect(await rejectionOf(log.append(body({ decision_id: "refused" })))).toBe("log_unavailable");
    await log.close();
    const after = await verified();
    expect(after.intact && after.records.map(({ decision_id: id }) => id)).toStrictEqual(["kept"]);
  });

  it("is every write, as long as the disk does not take any", async () => {
    await using log = await openFileLog(path);
    await disk.watch(() => {
      throw new Error("EIO");
    });
    for (let attempt = 0; attempt < 3; attempt += 1) expect(await rejectionOf(log.append(body()))).toBe("log_unavailable");
    disk.restore();
    expect((await log.append(body())).seq).toBe(1);
  });
});

describe("close", () => {
  it("waits for what is being written; nothing is appended after it", async () => {
    const log = await openFileLog(path);
    const pending = [log.append(body()), log.append(body())];
    const closing = log.close();
    const late = rejectionOf(log.append(body()));
    await closing;
    await log.close();
    expect((await Promise.all(pending)).map(({ seq }) => seq)).toStrictEqual([1, 2]);
    expect(await late).toBe("log_unavailable");
    expect(await rejectionOf(log.append(body()))).toBe("log_unavailable");
    const after = await verified();
    expect(after.intact && after.records).toHaveLength(2);
  });

  it("is done for everybody who asks for it", async () => {
    const log = await openFileLog(path);
    const write = log.append(body());
    await Promise.all([log.close(), log.close(), log[Symbol.asyncDispose]()]);
    expect((await write).seq).toBe(1);
  });
});
