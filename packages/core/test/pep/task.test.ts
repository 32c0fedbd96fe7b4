import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { format, inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AmbitError } from "../../src/errors.ts";
import { createPep } from "../../src/pep/create-pep.ts";
import type { Pep } from "../../src/pep/pep.ts";
import { BEGIN, createFakePdp, HANDLE, NOW, REFUSAL, scene } from "../support/fake-pdp.ts";

describe("a task hides its presentation (I10)", () => {
  it("from whatever copies, prints or serialises it", async () => {
    const { pep, task } = await scene();
    const child = await pep.handOff(task, { agentId: "other" });
    const clone = (value: unknown): unknown => {
      try {
        return structuredClone(value);
      } catch (error) {
        return String(error);
      }
    };
    for (const one of [task, child]) {
      const shown = [
        JSON.stringify(one),
        JSON.stringify({ state: { task: one } }),
        inspect(one, { depth: null }),
        inspect({ one }, { depth: null, getters: true, showHidden: true }),
        format("%s %o %j", one, { one }, one),
        `${String(one)}`,
        inspect(Object.entries(one), { depth: null }),
        inspect({ ...one }, { depth: null, showHidden: true }),
        inspect(Object.assign({}, one), { depth: null, showHidden: true }),
        inspect(clone(one), { depth: null, showHidden: true }),
        inspect(clone({ envelope: one.envelope, data: one.data }), { depth: null, showHidden: true }),
      ];
      for (const text of shown) expect(text).not.toContain(HANDLE);
      expect(Object.keys(one)).toStrictEqual(["envelopeId", "decisionId", "lineage", "depth", "envelope", "data", "end", "hold", "toJSON"]);
      for (const key in one) expect(key).not.toContain("presentation");
    }
  });

  it("and serialises to names only", async () => {
    const { task } = await scene();
    expect(JSON.parse(JSON.stringify(task))).toStrictEqual({ task: task.envelope.taskId, envelope: "env_1" });
  });

  it("and cannot be changed", async () => {
    const { task } = await scene();
    expect(() => Object.assign(task, { envelopeId: "other" })).toThrow(TypeError);
    expect(() => Object.defineProperty(task, Symbol.for("ambit.holding"), { value: () => ({ kind: "handle", handle: "mine" }) })).toThrow(TypeError);
    expect(() => Object.assign(task.envelope.allowedTools, { 0: "admin" })).toThrow(TypeError);
  });
});

describe("a task that is held", () => {
  it("outlives its scope until the last holder lets go", async () => {
    const { pdp, pep } = await scene();
    const releases: (() => Promise<void>)[] = [];
    await (async () => {
      await using task = await pep.begin(BEGIN);
      releases.push(task.hold(), task.hold());
    })();
    expect(pdp.asks("end")).toHaveLength(0);
    await releases[0]?.();
    await releases[0]?.();
    expect(pdp.asks("end")).toHaveLength(0);
    await releases[1]?.();
    expect(pdp.asks("end")).toHaveLength(1);
  });

  it("under a name is held by whoever held it under that name last", async () => {
    const { pdp, pep } = await scene();
    const task = await pep.begin(BEGIN);
    const first = task.hold("thread-1");
    const other = task.hold("thread-2");
    const second = task.hold("thread-1");
    await task[Symbol.asyncDispose]();
    await first();
    await other();
    expect(pdp.asks("end")).toHaveLength(0);
    await second();
    expect(pdp.asks("end")).toHaveLength(1);
  });

  it("goes on when everybody has let go of it within its scope, and ends with that", async () => {
    const { pdp, pep } = await scene();
    const task = await pep.begin(BEGIN);
    await task.hold()();
    expect(pdp.asks("end")).toHaveLength(0);
    await task[Symbol.asyncDispose]();
    expect(pdp.asks("end")).toHaveLength(1);
  });

  it("ends when somebody ends it, whoever holds it", async () => {
    const { pdp, pep } = await scene();
    const task = await pep.begin(BEGIN);
    task.hold();
    await task.end();
    expect(pdp.asks("end")).toHaveLength(1);
  });

  it("says to whoever lets go that it could not be ended", async () => {
    const { pep } = await scene({ end: () => Promise.reject(new Error("away")) });
    const task = await pep.begin(BEGIN);
    const release = task.hold();
    await task[Symbol.asyncDispose]();
    await expect(release()).rejects.toMatchObject({ code: "pdp_unavailable" });
  });
});

describe("two copies of this package in one process", () => {
  let folder: string;
  let other: { readonly createPep: typeof createPep; readonly AmbitError: typeof AmbitError };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ambit-copy-"));
    for (const part of ["package.json", "src"]) await cp(fileURLToPath(new URL(`../../${part}`, import.meta.url)), join(folder, part), { recursive: true });
    other = (await import(pathToFileURL(join(folder, "src/index.ts")).href)) as typeof other;
  });
  afterAll(() => rm(folder, { recursive: true }));

  const otherPep = (pdp = createFakePdp()): Pep => other.createPep({ pdp, agent: "agent", now: () => NOW });

  it("are two", () => {
    expect(other.createPep).not.toBe(createPep);
    expect(other.AmbitError).not.toBe(AmbitError);
  });

  it("understand each other's tasks", async () => {
    const { pdp, pep, task, call } = await scene();
    expect(await otherPep(pdp).enforce(call(), () => "ran")).toMatchObject({ result: "ran" });
    const foreign = await otherPep(pdp).begin(BEGIN);
    expect(await pep.enforce(call({ envelope: foreign }), () => "ran")).toMatchObject({ result: "ran" });
    expect(await pep.handOff(foreign, { agentId: "other" })).toMatchObject({ envelopeId: "env_2" });
    expect(await otherPep(pdp).handOff(task, { agentId: "other" })).toMatchObject({ envelopeId: "env_2" });
  });

  it("understand each other's errors", async () => {
    const refusing = createFakePdp({ begin: () => Promise.resolve({ decision: false, id: "d", refusal: REFUSAL }) });
    const error: unknown = await otherPep(refusing)
      .begin(BEGIN)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "policy_denied" });
    expect([error instanceof AmbitError, AmbitError.isInstance(error), other.AmbitError.isInstance(new AmbitError("policy_denied", "no"))]).toStrictEqual([
      false,
      true,
      true,
    ]);
  });
});
