import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AUDIENCE, ENVELOPE, openSession, type Session } from "../fixtures/session.ts";

let session: Session;
beforeEach(async () => {
  session = await openSession();
});
afterEach(() => session.end());

describe("ambit mint", () => {
  test.each([
    ["envelope_malformed", { ...ENVELOPE, allowed_tool: [] }],
    ["envelope_malformed", { ...ENVELOPE, resource_constraints: { unheard_of: 1 } }],
    ["envelope_malformed", { ...ENVELOPE, agent_id: undefined }],
    ["envelope_malformed", [ENVELOPE]],
    ["envelope_malformed", null],
    ["purpose_mismatch", { ...ENVELOPE, purpose: "toString" }],
    ["purpose_mismatch", { ...ENVELOPE, allowed_tools: ["tickets.create"] }],
    ["depth_exceeded", { ...ENVELOPE, max_depth: 9 }],
  ])("refuses (%s) what no decision point would take: %j", async (code, envelope) => {
    await session.write("envelope.json", JSON.stringify(envelope));
    const ran = await session.mint("--out", "chain.json");
    expect(ran).toMatchObject({ exitCode: 1, out: "" });
    expect(ran.err.slice(0, code.length + 7)).toBe(`error[${code}]`);
    await expect(session.read("chain.json")).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("refuses an envelope that has expired and none that does not say when", async () => {
    const options = [
      "--key",
      "issuer.jwk",
      "--issuer",
      "https://i.example",
      "--holder",
      "agent.pub.jwk",
      "--audience",
      AUDIENCE,
      "--config",
      "ambit.config.json",
    ];
    const mint = (envelope: object): ReturnType<Session["run"]> => session.run(["mint", "--envelope", JSON.stringify(envelope), ...options]);
    expect((await mint({ ...ENVELOPE, expires_at: "2026-05-12T18:30:00Z" })).err).toMatch(/^error\[envelope_expired\]/);
    expect((await mint(ENVELOPE)).err).toMatch(/^error\[envelope_malformed\]/);
  });

  test("gives the envelope to `--agent` when it names no holder itself", async () => {
    const { agent_id: _, ...envelope } = ENVELOPE;
    await session.write("envelope.json", envelope);
    const { out } = await session.mint("--agent", "somebody", "--json");
    expect(JSON.parse(out)).toMatchObject({ aat_chain: [expect.any(String)], envelope: { agent_id: "somebody" }, anchor: { tenants: ["tenant_acme"] } });
  });

  test("overwrites a chain only when it is told to", async () => {
    await session.write("chain.json", "mine");
    expect(await session.mint("--out", "chain.json")).toMatchObject({ exitCode: 2, out: "" });
    expect(await session.read("chain.json")).toBe("mine");
    expect(await session.mint("--out", "chain.json", "--force")).toMatchObject({ exitCode: 0 });
    expect(await session.read("chain.json")).not.toBe("mine");
  });

  test.each([
    ["usage", ["--issuer", "issuer"]],
    ["usage", ["--expires-in", "soon"]],
    ["usage", ["--audience", ""]],
    ["usage", ["--key", ""]],
    ["usage", ["--unknown"]],
    ["file_malformed", ["--config", "envelope.json"]],
    ["file_unreadable", ["--config", "no-such.json"]],
    ["file_malformed", ["--envelope", "{"]],
    ["file_unreadable", ["--envelope", "."]],
    ["config_invalid", ["--config", "broken.json"]],
  ])("says %s of %j, with exit code 2 and no stack", async (code, options) => {
    await session.write("broken.json", { purposes: { purposes: { a: { parent: "b", tools: [] } } } });
    const ran = await session.mint(...options);
    expect(ran).toMatchObject({ exitCode: 2, out: "" });
    expect(ran.err.slice(0, code.length + 7)).toBe(`error[${code}]`);
    expect(ran.err).not.toMatch(/^\s+at /m);
  });
});
