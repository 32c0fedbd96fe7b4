import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import create, { type CaseAdapter } from "../src/adapter.ts";
import { madeUpFolder } from "./made-up.ts";

const made = madeUpFolder();

beforeAll(() => void vi.stubEnv("AMBIT_WORKLOADS", made.folder));
afterAll(() => {
  vi.unstubAllEnvs();
  made.remove();
});

const open = (tools: readonly string[] | null): Promise<CaseAdapter> =>
  create({ case_id: "made_up:0", dataset: "made_up", suite: "parts", prompt: "Tidy up.", envelope: tools === null ? null : { tools } });

const call = (name: string, args: unknown = { id: "p1" }): { readonly name: string; readonly args: unknown } => ({ name, args });

describe("the replay adapter", () => {
  test("allows reads and the tools of the task, and denies all others", async () => {
    const adapter = await open(["delete_part"]);
    expect(await adapter.decide(call("get_part"), 0)).toEqual({ effect: "allow" });
    expect(await adapter.decide(call("delete_part"), 1)).toEqual({ effect: "allow" });
    expect(await adapter.decide(call("mail_supplier"), 2)).toEqual({ effect: "deny", reason: "tool_not_allowed" });
    await adapter.close();
  });

  test("allows reads alone without an envelope", async () => {
    const adapter = await open(null);
    expect(await adapter.decide(call("get_part"), 0)).toEqual({ effect: "allow" });
    expect(await adapter.decide(call("delete_part"), 1)).toMatchObject({ effect: "deny" });
    await adapter.close();
  });

  test("denies tools that nobody described and arguments that nobody named", async () => {
    const adapter = await open(["delete_part", "erase_part"]);
    expect(await adapter.decide(call("erase_part"), 0)).toEqual({ effect: "deny", reason: "tool_unmapped" });
    expect(await adapter.decide(call("delete_part", { id: "p1", all: true }), 1)).toEqual({ effect: "deny", reason: "argument_not_allowed" });
    await adapter.close();
  });

  test("settles what ran, once, and denies when the case is over", async () => {
    const adapter = await open([]);
    await adapter.decide(call("get_part"), 0);
    await expect(adapter.observe(call("get_part"), '{"id":"p1"}')).resolves.toBeUndefined();
    expect(await adapter.decide(call("get_part"), 0)).toEqual({ effect: "deny", reason: "grant_replayed" });
    await expect(adapter.observe(call("get_part"), "{}")).rejects.toThrow(/withheld/);
    await adapter.close();
    expect(await adapter.decide(call("get_part"), 1)).toEqual({ effect: "deny", reason: "envelope_revoked" });
  });

  test("refuses a suite that is a path", async () => {
    await expect(create({ case_id: "x", dataset: "made_up", suite: "../parts", prompt: "", envelope: null })).rejects.toThrow(TypeError);
  });
});
