import { copyData, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import { createVerifier, memoryReplay, readPresentation, trustAnchor, type Refused, type TrustAnchor, type TokenLimits } from "@ambit/core/token";
import { fileError, reasonOf } from "../cli-error.ts";

/** What all vectors of a file have in common. */
export interface VectorParams {
  readonly anchors: readonly TrustAnchor[];
  readonly audience: string;
  readonly limits: Partial<TokenLimits>;
}

export interface VectorResult {
  readonly id: string;
  readonly expected: "PERMIT" | "DENY";
  readonly verdict: "PERMIT" | "DENY";
  readonly code?: string;
  readonly step?: string;
}

const LIMITS = {
  max_iat_skew: "issuedAtSkew",
  max_token_lifetime: "tokenLifetime",
  max_delegation_depth: "delegationDepth",
  pop_window: "popWindow",
} as const satisfies Record<string, keyof TokenLimits>;

/** Reads `params.json`: limits, the audience and the trust anchors. */
export function parseParams(raw: unknown, file: string): VectorParams {
  const fail = (reason: string): never => {
    throw fileError("malformed", `\`${file}\` ${reason}`);
  };
  const data = plain(raw, `\`${file}\``);
  const [params, list] = isJsonObject(data) ? [own(data, "params"), own(data, "trust_anchors")] : [];
  if (!isJsonObject(params) || !Array.isArray(list) || list.length === 0) return fail("must have `params` and `trust_anchors`");
  const audience = own(params, "audience");
  if (typeof audience !== "string" || audience === "") return fail("must have `params.audience`");
  const limits: Record<string, number> = {};
  for (const [member, limit] of Object.entries(LIMITS)) {
    const value = own(params, member);
    if (value !== undefined) limits[limit] = typeof value === "number" ? value : fail(`has a \`params.${member}\` that is no number`);
  }
  const anchors = (list as readonly Json[]).map((anchor, index) => {
    if (!isJsonObject(anchor)) return fail(`has a trust anchor ${index + 1} that is no object`);
    try {
      return trustAnchor({ issuer: own(anchor, "iss") ?? null, jwk: own(anchor, "jwk") ?? null });
    } catch (cause) {
      return fail(`: ${reasonOf(cause)}`);
    }
  });
  return { anchors, audience, limits };
}

/** Runs one line of a vector file. Throws `file_malformed` for a line that is no vector; what the vector presents may be anything. */
export async function runVector(line: string, place: string, params: VectorParams): Promise<VectorResult> {
  const vector = parseVector(line, place);
  const id = own(vector, "id");
  const expected = memberOf(own(vector, "expected"), "verdict");
  const [tool, argsText, now] = [own(vector, "tool"), own(vector, "args_text"), own(vector, "now")];
  if (typeof id !== "string" || typeof tool !== "string" || typeof argsText !== "string" || typeof now !== "number")
    throw fileError("malformed", `${place} is no vector: it needs \`id\`, \`tool\`, \`args_text\` and \`now\``);
  if (expected !== "PERMIT" && expected !== "DENY") throw fileError("malformed", `${place} does not say which verdict is expected`);
  const refused = await refusalOf(vector, { tool, argsText, now }, params);
  if (refused === undefined) return { id, expected, verdict: "PERMIT" };
  return { id, expected, verdict: "DENY", code: refused.refusal.code, step: refused.refusal.step };
}

async function refusalOf(
  vector: JsonObject,
  { tool, argsText, now }: { readonly tool: string; readonly argsText: string; readonly now: number },
  { anchors, audience, limits }: VectorParams,
): Promise<Refused | undefined> {
  const read = readPresentation(vector);
  if (!read.verified) return read;
  const clock = (): number => now * 1000;
  const policy = own(vector, "policy");
  const nonce = memberOf(policy, "nonce");
  const verifier = createVerifier({
    anchors: () => anchors,
    audiences: [audience],
    // Each vector stands for itself: a proof that occurs in two of them is no replay.
    replay: memoryReplay(clock),
    requirePopAudience: memberOf(policy, "require_pop_aud") === true,
    requireChainAudience: memberOf(policy, "require_chain_aud") === true,
    ...(nonce === undefined ? {} : { isNonceValid: async (given: string) => given === nonce }),
    limits,
    now: clock,
  });
  const answer = await verifier.verifyCall(read.presentation, { tool, argsText });
  return answer.verified ? undefined : answer;
}

function parseVector(line: string, place: string): JsonObject {
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch (error) {
    throw fileError("malformed", `${place} is not JSON: ${reasonOf(error)}`);
  }
  const vector = plain(raw, place);
  if (!isJsonObject(vector)) throw fileError("malformed", `${place} is no object`);
  return vector;
}

function plain(raw: unknown, place: string): Json {
  try {
    return copyData(raw, "option_invalid", place, { depth: 64, nodes: 10_000, characters: 8_388_608 });
  } catch (error) {
    throw fileError("malformed", reasonOf(error));
  }
}

function memberOf(value: Json | undefined, member: string): Json | undefined {
  return isJsonObject(value) ? own(value, member) : undefined;
}
