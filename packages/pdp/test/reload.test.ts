import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPep } from "@ambit/core";
import { generatePrivateJwk, signingKey } from "@ambit/core/token";
import { createPdp, type PdpConfig } from "@ambit/pdp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BEGIN, CONFIG, fixture, outcomeOf, rejection } from "./support/fixture.ts";
import { AUDIENCE, signedFixture } from "./support/signed.ts";

const READ = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
const FORBID = { name: "more.cedar", text: 'forbid (principal, action == Action::"contracts.read", resource);' };

describe("a configuration that is read again", () => {
  it("holds from the next question on, for tasks that were begun before, too", async () => {
    const { pdp, pep, records } = await fixture();
    const task = await pep.begin(BEGIN);
    const before = pdp.policyDigest;
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    await pdp.reload({ ...CONFIG, policies: [...CONFIG.policies, FORBID] });
    expect(pdp.policyDigest).not.toBe(before);
    expect(await outcomeOf(pep, task, ...READ)).toBe("policy_denied");
    await pdp.reload(CONFIG);
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    const told = records().flatMap(({ kind, details }) =>
      kind === "decision" || kind === "policy_load" ? [details["policy_digest"] ?? details["policies"]] : [],
    );
    expect(new Set(told).size).toBe(2);
    expect(told).toEqual([before, told[1], told[1], before, before]);
    // A beginning and a hand-off are decided by policies, too.
    await pep.handOff(task, { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"] });
    await rejection(pep.begin({ ...BEGIN, purpose: "conquest" }));
    const others = records().flatMap(({ kind, details }) => (kind === "begin" || kind === "hand_off" ? [details["policy_digest"]] : []));
    expect(others).toEqual([before, before, before]);
  });

  it("that is bad changes nothing", async () => {
    const { pdp, pep, records } = await fixture();
    const task = await pep.begin(BEGIN);
    const count = records().length;
    const bad: readonly (readonly [Partial<PdpConfig>, string])[] = [
      [{ policies: [{ name: "p", text: "permit (" }] }, "policy_invalid"],
      [{ policies: [{ name: "p", text: 'permit (principal, action == Action::"nothing", resource);' }] }, "policy_invalid"],
      [{ manifest: {} }, "manifest_invalid"],
      [{ agents: { agents: { a: {} } } }, "config_invalid"],
      [{ purposes: {} }, "config_invalid"],
      [{ log: "other.jsonl" }, "config_invalid"],
      [{ unknown: 1 } as object, "config_invalid"],
    ];
    for (const [change, code] of bad) expect(await rejection(pdp.reload({ ...CONFIG, ...change }))).toBe(code);
    expect(records()).toHaveLength(count);
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
  });

  it("that cannot be put on the record changes nothing", async () => {
    const { pdp, pep, log } = await fixture();
    const failing = await createPdp(CONFIG, {
      log: { append: (body) => (body.kind === "policy_load" ? Promise.reject(new Error("disk")) : log.append(body)) },
    });
    await expect(failing.reload({ ...CONFIG, policies: [] })).rejects.toMatchObject({ code: "log_unavailable" });
    expect(failing.policyDigest).toBe(pdp.policyDigest);
    expect(pep.agent).toBe("reviewer");
  });

  it("takes an agent's key away, and with it what is bound to it", async () => {
    const { pdp, pep } = await signedFixture();
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    await pdp.reload(CONFIG);
    expect(await outcomeOf(pep, task, ...READ)).toBe("holder_mismatch");
  });

  it("never mixes two: every one of many parallel decisions is by one policy set", async () => {
    const { pdp, pep, records } = await fixture();
    const task = await pep.begin({ ...BEGIN, resourceConstraints: { customer_id: "c1", contract_ids: ["k1"] } });
    const calls = Array.from({ length: 60 }, () => outcomeOf(pep, task, ...READ));
    for (let count = 0; count < 5; count++) await pdp.reload({ ...CONFIG, policies: count % 2 === 0 ? [...CONFIG.policies, FORBID] : CONFIG.policies });
    const outcomes = new Set(await Promise.all(calls));
    for (const outcome of outcomes) expect(["permit", "policy_denied"]).toContain(outcome);
    const digests = new Map<unknown, Set<unknown>>();
    for (const { kind, details } of records()) {
      if (kind !== "decision") continue;
      const own = digests.get(details["policy_digest"]) ?? new Set();
      digests.set(details["policy_digest"], own.add(details["decision"]));
    }
    for (const verdicts of digests.values()) expect(verdicts.size).toBe(1);
  });
});

describe("a configuration in files", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ambit-reload-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is read again from them, and a new signing key goes on beside the old one", async () => {
    const write = (name: string, content: unknown): Promise<void> =>
      writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
    const { privateKey, publicJwk, signing } = await keys();
    await write("policy.cedar", "permit (principal, action, resource);");
    await write("issuer.jwk", await generatePrivateJwk("Ed25519"));
    const agents = { agents: { reviewer: { trust_zone: "first_party", ceiling: "none", keys: [publicJwk] } } };
    const config = {
      ...CONFIG,
      agents,
      policies: ["policy.cedar"],
      signing: { issuer: "https://i.example", key: "issuer.jwk", tenants: ["tenant_1"] },
      audience: [AUDIENCE],
    };
    await write("ambit.config.json", { ...config, log: "log.jsonl" });
    await using pdp = await createPdp(join(folder, "ambit.config.json"));
    const pep = createPep({ pdp, agent: "reviewer", keys: new Map([["reviewer", signing]]), deadline: 10_000 });
    const task = await pep.begin(BEGIN);
    await write("issuer.jwk", await generatePrivateJwk("ES256"));
    await pdp.reload();
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    expect(await outcomeOf(pep, await pep.begin(BEGIN), ...READ)).toBe("permit");
    await write("policy.cedar", "forbid (principal, action, resource);");
    await pdp.reload();
    expect(await outcomeOf(pep, task, ...READ)).toBe("policy_denied");
    await write("policy.cedar", "permit (");
    expect(await rejection(pdp.reload())).toBe("policy_invalid");
    expect(await outcomeOf(pep, task, ...READ)).toBe("policy_denied");
    expect(await readFile(join(folder, "log.jsonl"), "utf8")).not.toContain(String((privateKey as { d: string }).d));
  });
});

async function keys() {
  const privateKey = await generatePrivateJwk("Ed25519");
  const signing = await signingKey(privateKey);
  return { privateKey, signing, publicJwk: signing.public.jwk };
}
