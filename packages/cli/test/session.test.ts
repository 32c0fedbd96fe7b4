import type { PrivateJwk } from "@ambit/core/token";
import { holdChain, signingKey, signPop } from "@ambit/core/token";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AUDIENCE, openSession, type Session } from "./fixtures/session.ts";

let session: Session;
beforeEach(async () => {
  session = await openSession();
});
afterEach(() => session.end());

const VERIFY = ["--anchors", "anchors.json", "--config", "ambit.config.json", "--audience", AUDIENCE];

describe("a chain from its beginning to a call", () => {
  test("is minted, attenuated, inspected and verified", async () => {
    const minted = await session.mint("--out", "chain.json");
    expect(minted).toMatchObject({ exitCode: 0, err: "" });
    expect(minted.out).toContain('"kind":"ambit"');

    const derived = await session.attenuate(
      { agent_id: "classifier", purpose: "classify", allowed_tools: ["playbook.read"], resource_constraints: { max_records: 50 } },
      "--out",
      "child.json",
    );
    expect(derived).toMatchObject({ exitCode: 0, err: "" });
    expect(derived.out).toMatch(/not given +resource_constraints\.max_records: asked for 50, the parent leaves 25/);
    expect(derived.out).toMatch(/narrowed +allowed_tools: without contracts\.read, crm\.read/);

    const shown = await session.out("inspect", "child.json");
    expect(shown).toMatch(/^chain of 2 tokens, NOT VERIFIED/);
    expect(shown).toMatch(/^https:\/\/issuer\.acme\.example → reviewer\n/m);
    expect(shown).toMatch(/^└─ reviewer → classifier\n/m);
    expect(shown).toMatch(/on behalf of +user_7f3a91 of tenant_acme\n/);
    expect(shown).toMatch(/, 9m \d+s left\n/);

    expect(await session.out("verify", "child.json", ...VERIFY)).toMatch(/^valid: .*authorizes nothing/);
    expect(JSON.parse(await session.out("verify", "child.json", ...VERIFY, "--json"))).toMatchObject({
      verdict: "VALID",
      kind: "ambit",
      envelopes: [{ agent_id: "reviewer" }, { agent_id: "classifier", resource_constraints: { contract_ids: ["c1", "c2"], max_records: 25 } }],
    });
  });

  test("permits the calls that its holder proves, and no tool that the holder may only hand on", async () => {
    await session.mint("--out", "chain.json");
    const { aat_chain } = JSON.parse(await session.read("chain.json")) as { readonly aat_chain: readonly string[] };
    const key = await signingKey(JSON.parse(await session.read("agent.jwk")) as PrivateJwk);
    const args = { contract_id: "c1" };
    const { leaf } = holdChain(aat_chain);
    const prove = (tool: string): Promise<string> => signPop({ leaf, tool, args, audience: AUDIENCE, now: Date.now() }, key);
    const call = async (tool: string, pop: string, argsText = JSON.stringify(args)): Promise<string> => {
      const ran = await session.run(["verify", "chain.json", ...VERIFY, "--tool", tool, "--args", argsText, "--pop", pop, "--json"]);
      const { verdict, code } = JSON.parse(ran.out) as { readonly verdict: string; readonly code?: string };
      expect(ran.exitCode).toBe(verdict === "PERMIT" ? 0 : 1);
      return code ?? verdict;
    };
    expect(await call("contracts.read", await prove("contracts.read"))).toBe("PERMIT");
    expect(await call("contracts.read", await prove("contracts.read"), '{"contract_id":"c2"}')).toBe("pop_invalid");
    expect(await call("contracts.read", await prove("crm.read"))).toBe("pop_invalid");
    expect(await call("contracts.read", "no.pr.oof")).toBe("pop_invalid");
    // The draft's own entry has the tool; only the envelope says that it is for others.
    expect(await call("playbook.read", await prove("playbook.read"))).toBe("tool_not_allowed");

    await session.write("presentation.json", { aat_chain, aat_pop: await prove("contracts.read") });
    const presented = ["verify", "presentation.json", ...VERIFY, "--tool", "contracts.read", "--args", JSON.stringify(args)];
    expect(await session.out(...presented)).toMatch(/^permit: [^]*not checked +whether the proof was used before/);
  });

  test("goes through pipes", async () => {
    const minted = await session.mint();
    expect(minted.err).toMatch(/^issued: /);
    const stdin = { stdin: minted.out };
    expect((await session.run(["inspect", "-", "--json"], stdin)).exitCode).toBe(0);
    const child = await session.run(
      ["attenuate", "--chain", "-", "--key", "agent.jwk", "--holder", "next.pub.jwk", "--config", "ambit.config.json", "--json"],
      stdin,
    );
    expect(JSON.parse(child.out)).toMatchObject({ narrowed: [], file: null });
    expect(await session.run(["verify", "-", ...VERIFY], { stdin: child.out })).toMatchObject({ exitCode: 0, err: "" });
  });
});
