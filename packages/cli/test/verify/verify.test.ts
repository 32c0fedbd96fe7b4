import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AUDIENCE, ISSUER, openSession, type Session } from "../fixtures/session.ts";

let session: Session;
beforeEach(async () => {
  session = await openSession();
  await session.mint("--out", "chain.json");
});
afterEach(() => session.end());

const BASE = ["--anchors", "anchors.json", "--config", "ambit.config.json"];

/** The code of a deny, or the verdict. */
async function verdict(...options: readonly string[]): Promise<string> {
  const ran = await session.run(["verify", "chain.json", ...BASE, "--json", ...options]);
  expect(ran.err).toBe("");
  const { verdict: word, code } = JSON.parse(ran.out) as { readonly verdict: string; readonly code?: string };
  expect(ran.exitCode).toBe(word === "DENY" ? 1 : 0);
  return code ?? word;
}

describe("ambit verify", () => {
  test("denies a chain of a stranger, of another tenant, for others, or out of its time", async () => {
    expect(await verdict("--audience", AUDIENCE)).toBe("VALID");
    expect(await verdict("--audience", `${AUDIENCE}/`)).toBe("audience_mismatch");
    expect(await verdict("--now", "2100-01-01T00:00:00Z")).toBe("envelope_expired");
    expect(await verdict("--now", "2020-01-01T00:00:00Z")).toBe("envelope_not_yet_valid");
    const jwk = JSON.parse(await session.read("issuer.pub.jwk")) as unknown;
    await session.write("tenants.json", [{ kind: "ambit", issuer: ISSUER, jwk, tenants: ["other"] }]);
    expect(await verdict("--anchors", "tenants.json")).toBe("tenant_mismatch");
    const stranger = JSON.parse(await session.read("next.pub.jwk")) as unknown;
    await session.write("stranger.json", [{ kind: "ambit", issuer: ISSUER, jwk: stranger, tenants: ["tenant_acme"] }]);
    expect(await verdict("--anchors", "stranger.json")).toBe("envelope_signature_invalid");
    await session.write("other.json", { purposes: { purposes: { review: { tools: [] } } }, vocabulary: { case_ids: "subset" } });
    expect(await verdict("--config", "other.json")).toBe("envelope_malformed");
  });

  test("explains a deny, and says what it does not check", async () => {
    const denied = await session.run(["verify", "chain.json", ...BASE, "--now", "2100-01-01T00:00:00Z"]);
    expect(denied).toMatchObject({ exitCode: 1, out: "deny\nrefused: envelope_expired (draft step 3e, token 0)\n  the root has expired\n", err: "" });
    expect(await session.out("verify", "chain.json", ...BASE)).toMatch(/not checked +whom the chain may be shown to/);
  });

  test.each([["no chain at all"], ['{"aat_chain": []}'], ['{"aat_chain": ["\u001b[2J\\n.a.b"]}'], ['["a.b.c"]']])("denies %j", async (content) => {
    await session.write("chain.json", content);
    expect(["envelope_malformed", "envelope_signature_invalid"]).toContain(await verdict());
  });

  test("keeps words of a token out of its own lines", async () => {
    // The name of a member that nobody knows is part of the reason.
    const minted = JSON.parse(await session.read("chain.json")) as { readonly aat_chain: readonly [string] };
    const { holdChain, issueRoot, signingKey } = await import("@ambit/core/token");
    const { details, holder } = holdChain(minted.aat_chain).leaf.claims;
    const entry = { ...details[1], "x\npermit: all of it\u001b[2J": 1 };
    const forged = await issueRoot(
      {
        ...{ issuer: ISSUER, holder, audience: [AUDIENCE], tools: { "contracts.read": {} }, otherDetails: [entry] },
        ...{ maxDepth: 4, expiresAt: Math.floor(Date.now() / 1000) + 60, now: Date.now() },
      },
      await signingKey(JSON.parse(await session.read("issuer.jwk")) as Parameters<typeof signingKey>[0]),
    );
    await session.write("chain.json", forged.tokens);
    const { out, exitCode } = await session.run(["verify", "chain.json", ...BASE]);
    expect(exitCode).toBe(1);
    expect(out).toContain("permit: all of it");
    expect(out).not.toMatch(/^\s*permit/m);
    expect(out).not.toContain("\u001b");
  });

  test.each([
    ["usage", []],
    ["usage", ["a", "b", ...BASE]],
    ["usage", ["chain.json"]],
    ["usage", ["chain.json", "--anchors", "anchors.json"]],
    ["usage", ["chain.json", ...BASE, "--kind", "oauth"]],
    ["usage", ["chain.json", ...BASE, "--kind", "aat"]],
    ["usage", ["chain.json", ...BASE, "--args", "{}"]],
    ["usage", ["chain.json", ...BASE, "--tool", "t", "--audience", AUDIENCE]],
    ["usage", ["chain.json", ...BASE, "--tool", "t", "--args", "{}"]],
    ["usage", ["chain.json", ...BASE, "--tool", "t", "--args", "{}", "--audience", AUDIENCE]],
    ["usage", ["chain.json", ...BASE, "--now", "now"]],
    ["usage", ["chain.json", ...BASE, "--params", "x"]],
    ["usage", ["--vectors", "x", "--anchors", "y"]],
    ["usage", ["chain.json", "--vectors", "x"]],
    ["file_unreadable", ["no-such-file", ...BASE]],
    ["config_invalid", ["chain.json", ...BASE, "--anchors", "chain.json"]],
  ])("answers %s and exit code 2 to %j", async (code, args) => {
    const ran = await session.run(["verify", ...args]);
    expect(ran).toMatchObject({ exitCode: 2, out: "" });
    expect(ran.err.slice(0, code.length + 7)).toBe(`error[${code}]`);
    expect(ran.err).not.toMatch(/^\s+at /m);
  });

  test("takes no anchors that it does not understand", async () => {
    const jwk = JSON.parse(await session.read("issuer.pub.jwk")) as unknown;
    const ambit = { kind: "ambit", issuer: ISSUER, jwk, tenants: ["t"] };
    const aat = { kind: "aat", issuer: ISSUER, jwk, tenant_id: "t", delegator_id: "d", purpose: "p" };
    for (const anchors of [
      {},
      [],
      [null],
      [{ ...ambit, kind: undefined }],
      [{ ...ambit, tenants: [] }],
      [{ ...ambit, tenants: "tenant_acme" }],
      [{ ...ambit, purpose: "p" }],
      [{ ...ambit, issuer: "nobody" }],
      [{ ...ambit, jwk: JSON.parse(await session.read("issuer.jwk")) as unknown }],
      [{ ...aat, purpose: undefined }],
      // Whichever came first would decide what the chains of this key are.
      [aat, ambit],
    ]) {
      await session.write("anchors.json", anchors);
      const ran = await session.run(["verify", "chain.json", ...BASE]);
      expect(ran, JSON.stringify(anchors)).toMatchObject({ exitCode: 2, out: "", err: expect.stringMatching(/^error\[config_invalid\]/) });
    }
  });
});
