import type { TrustAnchor } from "./anchors.ts";
import { firstWidening, NO_TOOLS } from "./capability.ts";
import { readClaims, type ClaimProblem, type TokenClaims } from "./claims.ts";
import { readCompact, readPayload } from "./compact.ts";
import { sha256, verifySignature } from "./crypto.ts";
import { thumbprintUri } from "./key.ts";
import { because, quoted, refused, type Refused } from "./reason.ts";
import type { ChainOptions, VerifiedToken } from "./verify-root.ts";

const STEPS: Readonly<Record<ClaimProblem["claim"], string>> = {
  jti: "4b1",
  cnf: "4b2",
  authorization_details: "4b3",
  del_depth: "4b4",
  del_max_depth: "4b4",
  iss: "4b5",
  par_hash: "4b5",
  iat: "4b5",
  exp: "4b5",
  tools: "4n",
  constraint: "4o",
  aud: "6c",
};

/** Step 4 of draft section 8 for one pair. The key is the one that the parent names as its holder, whatever the token says of keys. */
export async function verifyLink<A extends TrustAnchor>(
  text: string,
  index: number,
  parent: VerifiedToken,
  options: ChainOptions<A>,
): Promise<Refused | { readonly verified: true; readonly token: VerifiedToken }> {
  const { algorithms, limits } = options;
  const { holder } = parent.claims;
  const jws = readCompact(text, "aat+jwt", limits.tokenBytes);
  if (typeof jws === "string") return refused("envelope_malformed", "4a", index, jws);
  const isAllowed = holder.algorithm === jws.header.alg && algorithms.includes(holder.algorithm);
  if (!isAllowed) return refused("envelope_signature_invalid", "4a", index, `\`alg\` ${quoted(jws.header.alg)} is not that of the parent's holder`);
  if (!(await verifySignature(holder, jws.signingInput, jws.signature))) {
    return refused(
      "envelope_signature_invalid",
      "4b",
      index,
      because(`child ${index} does not count`, because(`the holder of parent ${index - 1} has not signed it`)),
    );
  }
  const payload = readPayload(jws.payload);
  if (typeof payload === "string") return refused("envelope_malformed", "4b", index, payload);
  const claims = readClaims(payload, limits);
  if ("claim" in claims) return refused("envelope_malformed", STEPS[claims.claim], index, claims.reason);
  return whyNotChild(claims, index, parent, options) ?? { verified: true, token: Object.freeze({ text, hash: sha256(jws.signingInput), claims }) };
}

/** Steps 4b5 and 4c to 4q: what the claims of a child must be to those of its parent and to the clock. */
function whyNotChild<A extends TrustAnchor>(child: TokenClaims, index: number, parentToken: VerifiedToken, options: ChainOptions<A>): Refused | undefined {
  const { limits, now } = options;
  const parent = parentToken.claims;
  const [self, above] = [`child ${index}`, `parent ${index - 1}`];
  const no = (code: Refused["refusal"]["code"], step: string, may: string, reason: string): Refused =>
    refused(code, step, index, because(`${self} may not ${may}`, because(`${above} ${reason}`)));

  if (child.parentHash === undefined) return refused("chain_broken", "4b5", index, `${self} has no \`par_hash\``);
  if (child.issuer !== thumbprintUri(parent.holder)) return no("chain_broken", "4c", "name this `iss`", "is held by another key");
  if (child.depth !== parent.depth + 1) return no("chain_broken", "4d", `be at depth ${child.depth}`, `is at depth ${parent.depth}`);
  if (child.depth > parent.maxDepth) return no("depth_exceeded", "4e", "be derived", `allows no depth beyond ${parent.maxDepth}`);
  if (child.depth > limits.delegationDepth) return refused("depth_exceeded", "4f", index, `${self} is deeper than ${limits.delegationDepth}`);
  if (child.maxDepth > parent.maxDepth) return no("not_narrower", "4g", `allow depth ${child.maxDepth}`, `allows ${parent.maxDepth}`);
  if (!(child.expiresAt <= parent.expiresAt)) return no("not_narrower", "4h", "expire that late", "expires before"); // INVARIANT I7
  if (!(child.expiresAt > now)) return refused("envelope_expired", "4i", index, `${self} has expired`);
  if (!(child.issuedAt >= parent.issuedAt)) return no("chain_broken", "4j", "be issued that early", "was issued later");
  if (!(child.issuedAt <= now + limits.issuedAtSkew)) return refused("envelope_not_yet_valid", "4k", index, `${self} is from the future`);
  if (!(child.expiresAt > child.issuedAt)) return refused("envelope_malformed", "4l", index, `${self} expires before it was issued`);
  if (child.depth > child.maxDepth) return refused("depth_exceeded", "4m", index, `${self} is deeper than it allows itself`);
  const widening = firstWidening(parent.tools ?? NO_TOOLS, child.tools ?? NO_TOOLS);
  if (widening !== undefined) {
    const { step, what, instead } = widening;
    return refused("not_narrower", step, index, because(`${self} may not have ${what}`, { ...instead, text: `${above} ${instead.text}` }));
  }
  if (child.parentHash !== parentToken.hash) return no("chain_broken", "4q", "stand here", "is not the token that it was derived from");
  return undefined;
}
