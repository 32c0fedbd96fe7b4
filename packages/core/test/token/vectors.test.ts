import { describe, expect, it } from "vitest";
import { trustAnchor } from "../../src/token/anchors.ts";
import type { Json } from "../../src/data/json.ts";
import { explain, type TokenRefusal } from "../../src/token/reason.ts";
import { memoryReplay } from "../../src/token/replay.ts";
import { createVerifier } from "../../src/token/verifier.ts";
import { hasVectors, vectorText } from "../support/vectors.ts";

interface Vector {
  readonly id: string;
  readonly title: string;
  readonly expected: { readonly verdict: "PERMIT" | "DENY"; readonly step: string | null };
  readonly policy: { readonly require_pop_aud?: boolean; readonly require_chain_aud?: boolean; readonly nonce?: string };
  readonly now: number;
  readonly tool: string;
  readonly args_text: string;
  readonly aat_chain: readonly string[];
  readonly aat_pop: string;
}

interface Params {
  readonly params: {
    readonly max_iat_skew: number;
    readonly max_token_lifetime: number;
    readonly max_delegation_depth: number;
    readonly pop_window: number;
    readonly audience: string;
  };
  readonly trust_anchors: readonly { readonly iss: string; readonly jwk: Json }[];
}

/** The refusal, or nothing when the call is permitted. */
async function refusalOf(vector: Vector, { params, trust_anchors }: Params): Promise<TokenRefusal | undefined> {
  const anchors = trust_anchors.map(({ iss, jwk }) => trustAnchor({ issuer: iss, jwk }));
  const now = (): number => vector.now * 1000;
  const { nonce } = vector.policy;
  const verifier = createVerifier({
    anchors: () => anchors,
    audiences: [params.audience],
    replay: memoryReplay(now),
    requirePopAudience: vector.policy.require_pop_aud === true,
    requireChainAudience: vector.policy.require_chain_aud === true,
    ...(nonce === undefined ? {} : { isNonceValid: async (given: string) => given === nonce }),
    limits: {
      issuedAtSkew: params.max_iat_skew,
      tokenLifetime: params.max_token_lifetime,
      delegationDepth: params.max_delegation_depth,
      popWindow: params.pop_window,
    },
    now,
  });
  const answer = await verifier.verifyCall({ chain: vector.aat_chain, pop: vector.aat_pop }, { tool: vector.tool, argsText: vector.args_text });
  return answer.verified ? undefined : answer.refusal;
}

const isHere = hasVectors("aat/vectors.jsonl");
const vectors = isHere
  ? vectorText("aat/vectors.jsonl")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Vector)
  : [];
const params = (): Params => JSON.parse(vectorText("aat/params.json")) as Params;

describe.skipIf(!isHere)("the vectors of the draft", () => {
  const permits = vectors.filter(({ expected }) => expected.verdict === "PERMIT");
  const denies = vectors.filter(({ expected }) => expected.verdict === "DENY");

  it("are 20 to permit and 62 to deny", () => {
    expect([permits.length, denies.length]).toEqual([20, 62]);
  });

  it.each(permits)("$id is permitted: $title", async (vector) => {
    const refusal = await refusalOf(vector, params());
    expect(refusal === undefined ? "permitted" : explain(refusal)).toBe("permitted");
  });

  it.each(denies)("$id is denied: $title", async (vector) => {
    const refusal = await refusalOf(vector, params());
    expect(refusal).toBeDefined();
  });

  it("are denied at the steps that they name, as far as they agree", async ({ annotate }) => {
    const disagreements: string[] = [];
    for (const vector of denies) {
      const refusal = await refusalOf(vector, params());
      const steps = vector.expected.step?.split("/") ?? [];
      if (!steps.includes(refusal?.step.slice(0, steps[0]?.length) ?? ""))
        disagreements.push(`${vector.id} names ${vector.expected.step}, refused at ${refusal?.step}`);
    }
    // Only the verdict is normative.
    await annotate(`${denies.length - disagreements.length} of ${denies.length} agree. ${disagreements.join("; ")}`);
    expect(disagreements.length).toBeLessThan(denies.length / 2);
  });
});
