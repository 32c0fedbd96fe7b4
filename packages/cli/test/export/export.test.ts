import type { JsonObject } from "@ambit/core";
import { holdChain } from "@ambit/core/token";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ENVELOPE, ISSUER, openSession, type Session } from "../fixtures/session.ts";

const PARTNER = "https://tools.partner.example";
const text = { type: "string" };

const TOOL = {
  names: [{ name: "crm_read", server: "crm", pin: "none" }],
  input_schema: { type: "object", properties: { customer_id: text, note: text }, required: ["customer_id"] },
  effect: "read",
  constraints: { customer_id: { argument: "/customer_id" } },
  records: "none",
  data_classes: ["support_summary"],
};
const MANIFEST = {
  tools: {
    "crm.read": TOOL,
    "contracts.read": {
      ...TOOL,
      names: [{ name: "contracts_read", pin: "none" }],
      constraints: { customer_id: { result: "/customer_id" } },
      records: undefined,
    },
  },
};
const AGENTS = {
  agents: {
    reviewer: { trust_zone: "first_party", ceiling: "none" },
    bounded: { trust_zone: "third_party", ceiling: { allowed_tools: ["crm.read"], resource_constraints: { customer_id: "c2" } } },
  },
};
const PURPOSES = {
  purposes: { review: { tools: ["crm.read", "contracts.read"] }, narrow: { parent: "review", tools: ["crm.read"], data_classes: ["contract_metadata"] } },
};
const { budgets: _, may_delegate: __, ...REST } = ENVELOPE as { readonly budgets: JsonObject; readonly may_delegate: readonly string[] };
const EXPORTABLE: JsonObject = { ...REST, allowed_tools: ["crm.read"], resource_constraints: { customer_id: "c1" } };

let session: Session;
beforeEach(async () => {
  session = await openSession();
  await session.write("ambit.config.json", { manifest: "manifest.json", agents: "agents.json", purposes: "purposes.json" });
  await session.write("manifest.json", MANIFEST);
  await session.write("agents.json", AGENTS);
  await session.write("purposes.json", PURPOSES);
  const jwk = JSON.parse(await session.read("issuer.pub.jwk")) as unknown;
  await session.write("anchors.json", [{ kind: "aat", issuer: ISSUER, jwk, tenant_id: "tenant_acme", delegator_id: "user_7f3a91", purpose: "review" }]);
});
afterEach(() => session.end());

function exported(envelope: unknown, ...options: readonly string[]): ReturnType<Session["run"]> {
  const keys = ["--key", "issuer.jwk", "--issuer", ISSUER, "--holder", "agent.pub.jwk", "--audience", PARTNER];
  const given = envelope === undefined ? [] : ["--envelope", JSON.stringify(envelope)];
  return session.run(["export", ...given, "--expires-in", "5m", ...keys, "--config", "ambit.config.json", ...options]);
}

/** The lines of the reasons, after checking that there is nothing else. */
async function reasons(envelope: JsonObject, ...options: readonly string[]): Promise<readonly string[]> {
  const ran = await exported(envelope, "--out", "foreign.json", ...options);
  expect(ran).toMatchObject({ exitCode: 1, out: "" });
  await expect(session.read("foreign.json")).rejects.toMatchObject({ code: "ENOENT" });
  const [first, ...lines] = ran.err.trimEnd().split("\n");
  expect(first).toMatch(/^error\[not_narrower\]: /);
  return lines;
}

describe("ambit export", () => {
  test("issues what a verifier of the draft alone enforces, through pipes up to the verdict", async () => {
    const made = await exported(EXPORTABLE, "--server", "crm", "--out", "foreign.json");
    expect(made).toMatchObject({ exitCode: 0, err: "" });
    expect(made.out).toContain("crm_read(customer_id: ");
    expect(made.out).toMatch(/^not in it: on whose behalf/m);
    const verify = async (args: JsonObject, audience = PARTNER): Promise<string> => {
      const call = ["--tool", "crm_read", "--args", JSON.stringify(args), "--audience", audience];
      const proof = await session.run(["prove", "--chain", "foreign.json", "--key", "agent.jwk", ...call]);
      expect(proof.exitCode, proof.err).toBe(0);
      const ran = await session.run(["verify", "-", "--anchors", "anchors.json", "--json", ...call], { stdin: proof.out });
      const { verdict, code } = JSON.parse(ran.out) as { readonly verdict: string; readonly code?: string };
      expect(ran.exitCode).toBe(verdict === "PERMIT" ? 0 : 1);
      return code ?? verdict;
    };
    expect(await verify({ customer_id: "c1" })).toBe("PERMIT");
    expect(await verify({ customer_id: "c1", note: "n" })).toBe("PERMIT");
    expect(await verify({ customer_id: "c2" })).toBe("argument_not_allowed");
    expect(await verify({})).toBe("argument_not_allowed");
    expect(await verify({ customer_id: "c1", all: true })).toBe("argument_not_allowed");
    expect(await verify({ customer_id: "c1" }, "https://ambit.acme.example")).toBe("audience_mismatch");
  });

  test("issues nothing that an anchor of Ambit's would take", async () => {
    await exported(EXPORTABLE, "--out", "foreign.json");
    const jwk = JSON.parse(await session.read("issuer.pub.jwk")) as unknown;
    await session.write("ambit.json", [{ kind: "ambit", issuer: ISSUER, jwk, tenants: ["tenant_acme"] }]);
    const ran = await session.run(["verify", "foreign.json", "--anchors", "ambit.json", "--config", "ambit.config.json", "--json"]);
    expect(ran.exitCode).toBe(1);
    expect(JSON.parse(ran.out)).toMatchObject({ verdict: "DENY", code: "envelope_malformed", step: "profile 3" });
  });

  test("gives the chain and its anchor to programs, and no key", async () => {
    const { out, err } = await exported(EXPORTABLE, "--json");
    const { aat_chain, anchor, not_given } = JSON.parse(out) as {
      readonly aat_chain: readonly string[];
      readonly anchor: unknown;
      readonly not_given: unknown;
    };
    expect(not_given).toEqual([]);
    expect(anchor).toMatchObject({ kind: "aat", issuer: ISSUER, tenant_id: "tenant_acme", delegator_id: "user_7f3a91", purpose: "review" });
    const { claims } = holdChain(aat_chain).leaf;
    expect([...(claims.tools?.keys() ?? [])]).toEqual(["crm.read"]);
    expect(claims.expiresAt - claims.issuedAt).toBeLessThanOrEqual(300);
    const { d } = JSON.parse(await session.read("issuer.jwk")) as { readonly d: string };
    expect(out + err).not.toContain(d);
  });

  test("tells every reason why an envelope cannot be exported", async () => {
    const { resource_constraints: ___, ...rest } = EXPORTABLE;
    const wide = { ...rest, may_delegate: ["contracts.read"], budgets: { calls: 3 }, approvals: ["crm.read"] };
    const lines = await reasons({ ...wide, resource_constraints: { customer_id: "c1", contract_ids: ["k"], path_prefix: ["/a"], data_classes: [] } });
    expect(lines).toHaveLength(6);
    expect(await reasons({ ...EXPORTABLE, allowed_tools: ["crm.read", "contracts.read"] }, "--server", "crm")).toHaveLength(2); // a result, and no name there
    expect(await reasons({ ...EXPORTABLE, resource_constraints: { max_records: 5 }, allowed_tools: ["contracts.read"] })).toHaveLength(1);
  });

  test("counts what bounds the agent and the purpose, which nobody asks for there", async () => {
    const { out, exitCode } = await exported(
      { ...EXPORTABLE, agent_id: "bounded", allowed_tools: ["contracts.read", "crm.read"], resource_constraints: {} },
      "--json",
    );
    expect(exitCode).toBe(0);
    const { aat_chain, not_given } = JSON.parse(out) as { readonly aat_chain: readonly string[]; readonly not_given: unknown };
    expect(not_given).toEqual(["contracts.read"]);
    const tools = holdChain(aat_chain).leaf.claims.tools;
    expect([...(tools?.keys() ?? [])]).toEqual(["crm.read"]);
    expect(tools?.get("crm.read")?.named.get("customer_id")).toMatchObject({ constraint: { type: "exact", value: "c2" }, isOptional: false });
    // The purpose does not need what the tool returns.
    expect(await reasons({ ...EXPORTABLE, purpose: "narrow" })).toHaveLength(1);
  });

  test.each<[string, JsonObject]>([
    ["agent_unknown", { ...EXPORTABLE, agent_id: "somebody" }],
    ["purpose_mismatch", { ...EXPORTABLE, purpose: "toString" }],
    ["purpose_mismatch", { ...EXPORTABLE, purpose: "narrow", allowed_tools: ["contracts.read"] }],
    ["envelope_malformed", { ...EXPORTABLE, allowed_tool: [] }],
    ["depth_exceeded", { ...EXPORTABLE, max_depth: 9 }],
  ])("refuses (%s) what no decision point would take: %j", async (code, envelope) => {
    const ran = await exported(envelope);
    expect(ran).toMatchObject({ exitCode: 1, out: "" });
    expect(ran.err.slice(0, code.length + 7)).toBe(`error[${code}]`);
  });

  test.each([
    ["usage", ["--issuer", "issuer"]],
    ["usage", ["--audience", ""]],
    ["usage", ["--key", ""]],
    ["usage", ["--key", '{"kty":"OKP"}']],
    ["usage", ["--config", ""]],
    ["usage", ["--unknown"]],
    ["usage", ["extra"]],
    ["key_invalid", ["--key", "agent.pub.jwk"]],
    ["key_invalid", ["--holder", "agent.jwk"]],
    ["file_malformed", ["--config", "no-manifest.json"]],
    ["file_malformed", ["--config", "no-agents.json"]],
    ["file_unreadable", ["--config", "no-such.json"]],
    ["file_unreadable", ["--config", "dangling.json"]],
    ["manifest_invalid", ["--config", "bad-manifest.json"]],
    ["config_invalid", ["--config", "bad-agents.json"]],
  ])("says %s of %j, with exit code 2 and no stack", async (code, options) => {
    const whole = { manifest: MANIFEST, agents: AGENTS, purposes: PURPOSES };
    await session.write("no-manifest.json", { ...whole, manifest: undefined });
    await session.write("no-agents.json", { ...whole, agents: undefined });
    await session.write("dangling.json", { ...whole, manifest: "no-such.json" });
    await session.write("bad-manifest.json", { ...whole, manifest: { tools: { a: {} } } });
    await session.write("bad-agents.json", { ...whole, agents: { agents: { a: {} } } });
    const ran = await exported(EXPORTABLE, ...options);
    expect(ran).toMatchObject({ exitCode: 2, out: "" });
    expect(ran.err.slice(0, code.length + 7)).toBe(`error[${code}]`);
    expect(ran.err).not.toMatch(/^\s+at /m);
  });

  test("needs to be told of which envelope", async () => {
    const ran = await session.run(["export"]);
    expect(ran).toMatchObject({ exitCode: 2, out: "" });
    expect(ran.err).toMatch(/^error\[usage\]: .*\nrun `ambit export --help` for help\n$/);
  });

  test("helps, with an example", async () => {
    const help = await session.out("export", "--help");
    expect(help.slice(help.indexOf("Examples\n"))).toContain("  ambit export ");
    expect(help).toMatch(/^Exit codes: /m);
  });
});
