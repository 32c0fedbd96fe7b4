import type { Pdp, RefusalCode } from "@ambit/core";
import { mayActFor, type Authenticated } from "../server/callers.ts";
import type { RouteAnswer } from "../server/route.ts";
import { leafOf } from "../envelopes/chain.ts";
import type { Revocation } from "../lifecycle/revoke.ts";
import { codeOf, OauthProblem } from "./errors.ts";
import { readChain, type Form } from "./form.ts";
import type { Inspection } from "./inspect-chain.ts";

export interface RevocationSetting {
  readonly pdp: Pick<Pdp, "end"> & { revoke(revocation: Revocation): Promise<void> };
  readonly inspect: (chain: readonly string[]) => Promise<Inspection>;
}

const DONE: RouteAnswer = { headers: { pragma: "no-cache" } };

/**
 * RFC 7009, of a whole subtree: the leaf of the chain that is shown and everything derived from it. Whoever holds it or an envelope above it proves that (`aat_pop` beside
 * `aat_chain`, over `ambit:end`); an operator needs no proof. What is no envelope any longer, or never was, is revoked as it is (section 2.2).
 */
export async function revokeToken(setting: RevocationSetting, form: Form, caller: Authenticated): Promise<RouteAnswer> {
  const shown = readChain(form.need("token"));
  if (shown === undefined) return DONE;
  const { chain, pop } = shown;
  if (pop !== undefined) {
    await orProblem(() => setting.pdp.end({ presentation: { kind: "chain", chain, pop }, agent: caller.name }));
    return DONE;
  }
  if (!caller.roles.has("operate")) throw new OauthProblem("unauthorized_client", "show aat_pop beside aat_chain: whoever holds the envelope revokes it");
  const inspected = await setting.inspect(chain);
  if (inspected.chain === undefined) return DONE;
  const { id, envelope } = leafOf(inspected.chain);
  // INVARIANT I12: of another tenant there is nothing to revoke, nor to be told.
  if (!mayActFor(caller, envelope.tenantId)) return DONE;
  await orProblem(() => setting.pdp.revoke({ tenantId: envelope.tenantId, scope: "envelope", id, by: caller.name, reason: "token revocation" }));
  return DONE;
}

const NOT_THEIRS: ReadonlySet<RefusalCode> = new Set<RefusalCode>(["pop_invalid", "pop_replayed", "holder_mismatch", "audience_mismatch"]);

/** INVARIANT I8: what could not be done is not told as done. A chain that is none, or none any longer, has nothing left to revoke. */
async function orProblem(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const refusal = (error as { readonly refusal?: { readonly code?: RefusalCode } } | null)?.refusal?.code;
    if (refusal === undefined || codeOf(refusal) === "temporarily_unavailable")
      throw new OauthProblem("temporarily_unavailable", "the envelope could not be revoked; ask again");
    if (NOT_THEIRS.has(refusal)) throw new OauthProblem("unauthorized_client", "no holder of the envelope asks for it", { refusal });
  }
}
