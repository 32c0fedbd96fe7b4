import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyLog } from "@ambit/core/audit";
import { demo } from "../src/demo.ts";
import { decisionChecks } from "../src/run/checks.ts";
import { createScreen } from "../src/show/screen.ts";
import { startEndpoint } from "./endpoint.ts";

let out: string;
beforeAll(async () => void (out = await mkdtemp(join(tmpdir(), "ambit-quickstart-out-"))));
afterAll(() => rm(out, { recursive: true }));

async function run(isProtected: boolean, environment: Record<string, string> = {}): Promise<{ readonly holds: boolean; readonly text: string }> {
  const stream = new PassThrough({ encoding: "utf8" });
  const holds = await demo({ isProtected, environment, screen: createScreen(stream), out });
  return { holds, text: String(stream.read()) };
}

describe("the demo with Ambit", () => {
  test("holds, ends with an intact log, and shows every refusal with its code", async () => {
    const { holds, text } = await run(true);
    expect(text).not.toContain("✘ contracts");
    expect(holds).toBe(true);
    expect(text).toMatch(/decision log: \d+ records, hash chain intact/);
    for (const code of ["not_narrower", "tool_not_allowed", "argument_not_allowed", "budget_exhausted", "envelope_expired", "envelope_revoked"]) {
      expect(text).toContain(`${code}: `);
    }
    expect(text).not.toContain("\u001b");
  });

  test("leaves a log that can be checked again, without the texts of contracts or arguments, and a picture", async () => {
    const log = verifyLog(await readFile(join(out, "decisions.jsonl"), "utf8"));
    if (!log.intact) throw new Error(log.reason);
    expect(decisionChecks(log.records).every(({ holds }) => holds)).toBe(true);
    expect(JSON.stringify(log.records)).not.toMatch(/harbour-pine-legal|payroll|renews automatically/);
    expect(await readFile(join(out, "execution-graph.svg"), "utf8")).toContain("<svg");
  });

  test("does not hold its decisions against a log that lacks one of them", async () => {
    const log = verifyLog(await readFile(join(out, "decisions.jsonl"), "utf8"));
    const records = log.intact ? log.records.filter(({ details }) => details["code"] !== "not_narrower") : [];
    expect(decisionChecks(records).filter(({ holds }) => !holds)).toHaveLength(1);
  });
});

test("the demo without Ambit shows the damage, and holds because it is there", async () => {
  const { holds, text } = await run(false);
  expect(holds).toBe(true);
  expect(text).toContain("✘ mails in the outbox");
});

test("the agents of both frameworks think with an OpenAI-compatible endpoint when one is named", async () => {
  await using endpoint = await startEndpoint();
  const { holds, text } = await run(true, { AMBIT_MODEL_URL: endpoint.url, AMBIT_MODEL: "test-model", AMBIT_MODEL_KEY: "key" });
  expect(text).toContain("The model is test-model at 127.0.0.1:");
  expect(endpoint.authorizations).toEqual(new Set(["Bearer key"]));
  expect(text).toMatch(/clause-classifier\n.*permit.*playbook\.read/);
  expect(text).toContain("✔ ticket filed");
  expect(holds).toBe(true);
});
