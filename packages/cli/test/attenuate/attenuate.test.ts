import { issueRoot, signingKey, publicKey, type PrivateJwk } from "@ambit/core/token";
import type { Json } from "@ambit/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AUDIENCE, openSession, type Session } from "../fixtures/session.ts";

let session: Session;
beforeEach(async () => {
  session = await openSession();
});
afterEach(() => session.end());

describe("ambit attenuate, for a chain with envelopes", () => {
  beforeEach(async () => {
    await session.mint("--out", "chain.json");
  });

  test("cuts what is asked for beyond the parent, and with `--exact` refuses it", async () => {
    const asked = { agent_id: "n", allowed_tools: ["crm.read", "tickets.create"], budgets: { calls: 99 }, expires_at: "2100-01-01T00:00:00Z" };
    const { out } = await session.attenuate(asked, "--json");
    expect(JSON.parse(out)).toMatchObject({
      envelope: { agent_id: "n", allowed_tools: ["crm.read"], budgets: { calls: 10 } },
      narrowed: [{ dimension: "allowed_tools" }, { dimension: "expires_at" }, { dimension: "budgets.calls", asked: 99, granted: 10 }],
    });
    expect(await session.attenuate(asked, "--exact")).toMatchObject({ exitCode: 1, out: "", err: expect.stringMatching(/^error\[not_narrower\]/) });
  });

  test.each([
    ["not_narrower", { purpose: "unheard_of" }],
    ["not_narrower", { task_id: "task_2" }],
    ["envelope_malformed", { agentId: "camel" }],
    ["envelope_malformed", { tenant_id: "other" }],
    ["envelope_malformed", { resource_constraints: 7 }],
    ["envelope_malformed", { resource_constraints: null }],
    ["envelope_malformed", { expires_at: 1 }],
    ["envelope_malformed", { expires_at: "tomorrow" }],
    ["envelope_malformed", { max_depth: "1" }],
    ["envelope_expired", { expires_at: "2020-01-01T00:00:00Z" }],
    ["depth_exceeded", { max_depth: 0 }],
  ] as const)("refuses (%s) %j", async (code, narrowing) => {
    const ran = await session.attenuate(narrowing as Json);
    expect(ran).toMatchObject({ exitCode: 1, out: "" });
    expect(ran.err.slice(0, code.length + 7)).toBe(`error[${code}]`);
  });

  test("needs the key of the holder and the vocabulary and purposes that the chain pins", async () => {
    expect((await session.attenuate({}, "--key", "next.jwk")).err).toMatch(/^error\[holder_mismatch\]/);
    await session.write("other.json", { purposes: { purposes: {} } });
    expect((await session.attenuate({}, "--config", "other.json")).err).toMatch(/^error\[envelope_malformed\].*`vocabulary`/);
    const ran = await session.run(["attenuate", "--chain", "chain.json", "--key", "agent.jwk", "--holder", "next.pub.jwk"]);
    expect(ran).toMatchObject({ exitCode: 2, err: expect.stringMatching(/^error\[usage\]: `--config` is needed/) });
  });

  test("remarks on a holder that hands on to its own key", async () => {
    expect((await session.attenuate({ agent_id: "n" }, "--holder", "agent.pub.jwk")).err).toMatch(/^note: /m);
    expect((await session.attenuate({ agent_id: "n" })).err).not.toMatch(/^note: /m);
  });

  test("derives from no part of a chain", async () => {
    await session.attenuate({ agent_id: "n" }, "--out", "child.json");
    const { aat_chain } = JSON.parse(await session.read("child.json")) as { readonly aat_chain: readonly string[] };
    await session.write("chain.json", { aat_chain: aat_chain.slice(1) });
    expect(await session.attenuate({}, "--key", "next.jwk")).toMatchObject({ exitCode: 1, err: expect.stringMatching(/^error\[chain_broken\]/) });
  });
});

describe("ambit attenuate, for a chain of the draft alone", () => {
  const TOOLS = { read_file: { path: { constraint_type: "one_of", values: ["/a", "/b"] } }, search: {} };

  beforeEach(async () => {
    const key = async (name: string): Promise<PrivateJwk> => JSON.parse(await session.read(name)) as PrivateJwk;
    const holder = publicKey(JSON.parse(await session.read("agent.pub.jwk")) as Json);
    const now = Date.now();
    const root = await issueRoot(
      { issuer: "https://as.example", holder, tools: TOOLS, maxDepth: 3, expiresAt: Math.floor(now / 1000) + 600, now },
      await signingKey(await key("issuer.jwk")),
    );
    await session.write("chain.json", { aat_chain: root.tokens });
    const jwk = JSON.parse(await session.read("issuer.pub.jwk")) as unknown;
    await session.write("anchors.json", [{ kind: "aat", issuer: "https://as.example", jwk, tenant_id: "t", delegator_id: "u", purpose: "p" }]);
  });

  const derive = (narrowing: Json, ...options: readonly string[]): ReturnType<Session["run"]> =>
    session.run([
      ...["attenuate", "--chain", "chain.json", "--key", "agent.jwk", "--holder", "next.pub.jwk"],
      ...["--narrowing", JSON.stringify(narrowing), ...options],
    ]);

  test("narrows tools and their arguments", async () => {
    const narrowing = { tools: { read_file: { path: { constraint_type: "exact", value: "/a" } } }, max_depth: 1 };
    const ran = await derive(narrowing, "--out", "child.json", "--expires-in", "1m");
    expect(ran).toMatchObject({ exitCode: 0, err: "" });
    expect(ran.out).toMatch(/read_file path: one of "\/a", "\/b" → exactly "\/a"/);
    expect(await session.out("verify", "child.json", "--anchors", "anchors.json")).toMatch(/stands for +u of t, purpose p/);
    // No more than the last token allows, whatever the parents do.
    expect(JSON.parse(await session.out("inspect", "child.json", "--json"))).toMatchObject({
      verified: false,
      tokens: [{ tools: { search: { "*": "anything" } } }, { max_depth: 1, envelope: null, tools: { read_file: { path: 'exactly "/a"' } } }],
    });
  });

  test.each([
    ["not_narrower", { tools: { write_file: {} } }],
    ["not_narrower", { tools: { read_file: {} } }],
    ["envelope_malformed", { tools: { search: { q: { constraint_type: "regex" } } } }],
    ["envelope_malformed", { tools: [] }],
    ["envelope_malformed", { allowed_tools: ["search"] }],
  ] as const)("refuses (%s) %j", async (code, narrowing) => {
    const ran = await derive(narrowing as unknown as Json);
    expect(ran).toMatchObject({ exitCode: 1, out: "" });
    expect(ran.err.slice(0, code.length + 7)).toBe(`error[${code}]`);
  });

  test("is of the kind that the anchor says", async () => {
    const ambit = ["--anchors", "anchors.json", "--kind", "ambit", "--audience", AUDIENCE];
    expect(await session.run(["verify", "chain.json", ...ambit])).toMatchObject({ exitCode: 2 });
    await session.write("chain.json", await session.mint().then(({ out }) => out));
    const ran = await session.run(["verify", "chain.json", "--anchors", "anchors.json", "--json"]);
    expect({ exitCode: ran.exitCode, code: (JSON.parse(ran.out) as { readonly code: string }).code }).toEqual({ exitCode: 1, code: "chain_broken" });
  });
});
