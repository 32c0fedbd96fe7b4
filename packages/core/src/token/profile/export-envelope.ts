import { AmbitError } from "../../errors.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import type { Order } from "../../envelope/order.ts";
import type { PublicKey } from "../crypto.ts";
import { issueRoot, type HeldChain } from "../issue.ts";
import type { SigningKey } from "../key.ts";
import { tokenLimits, type TokenLimits } from "../limits.ts";
import { foreignTools, type ForeignTool } from "./export-tools.ts";

export { foreignTools, type ConstraintPlace, type ForeignArgument, type ForeignTool } from "./export-tools.ts";

export interface NewExport {
  readonly envelope: Envelope;
  /** By tool id, at least all that the envelope allows. */
  readonly tools: ReadonlyMap<string, ForeignTool>;
  /** The name that the verifier has for the signing key. */
  readonly issuer: string;
  /** The holder's key. */
  readonly holder: PublicKey;
  /** The foreign verifiers that it may be shown to; at least one. */
  readonly audience: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly limits?: Partial<TokenLimits>;
}

/**
 * Re-issues an envelope as a root of the draft alone, for a verifier that knows nothing of ours. On whose behalf, for which purpose and task it is, is not
 * in it: the verifier's anchor says that, and no Ambit verifier takes it for an envelope. Policies are not asked, and what is revoked here goes on there until it expires.
 *
 * Throws `not_narrower`, with every reason on a line of its own, when anything of the envelope cannot be said in the draft's `tools` map; `option_invalid` without an
 * audience; what `issueRoot` throws. The expiry is cut down to whole seconds.
 */
export async function exportEnvelope(options: NewExport, key: SigningKey, order: Order): Promise<HeldChain> {
  const { envelope, audience, issuer, holder, now } = options;
  if (audience.length === 0 || audience.includes("")) throw new AmbitError("option_invalid", "`audience` must name at least one verifier");
  const compiled = foreignTools(envelope, order, options.tools, tokenLimits(options.limits));
  if (!compiled.expressible) throw new AmbitError("not_narrower", ["the exported token would be wider than the envelope", ...compiled.reasons].join("\n  "));
  return issueRoot(
    {
      issuer,
      holder,
      audience,
      tools: compiled.tools,
      maxDepth: envelope.maxDepth,
      expiresAt: Math.floor(envelope.expiresAt / 1000), // INVARIANT I7: cut down, never up
      now,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    },
    key,
  );
}
