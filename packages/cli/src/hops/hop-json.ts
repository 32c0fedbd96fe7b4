import type { Json, JsonObject } from "@ambit/core";
import { changesOf } from "./changes.ts";
import { argumentTexts } from "./constraint-text.ts";
import { readHops, type Hop, type Unreadable } from "./hop.ts";

/** A chain for programs. `verified` is always false: nothing here asked a verifier. */
export function chainJson(tokens: readonly string[], now: number): JsonObject {
  const hops = readHops(tokens);
  return { verified: false, tokens: hops.map((hop, index) => hopJson(hop, hops[index - 1], now)) };
}

function hopJson(hop: Hop | Unreadable, above: Hop | Unreadable | undefined, now: number): JsonObject {
  if ("unreadable" in hop) return { index: hop.index, unreadable: hop.unreadable };
  const { claims, envelope = null } = hop;
  const tools = [...(claims.tools ?? [])].map(([id, map]): [string, Json] => [id, Object.fromEntries(argumentTexts(map))]);
  return {
    index: hop.index,
    from: hop.from,
    to: hop.to,
    jti: claims.jti,
    holder: { alg: claims.holder.algorithm, thumbprint: claims.holder.thumbprint },
    audience: claims.audience ?? null,
    depth: claims.depth,
    max_depth: claims.maxDepth,
    issued_at: claims.issuedAt,
    expires_at: claims.expiresAt,
    seconds_left: Math.floor(claims.expiresAt - now / 1000),
    envelope,
    tools: Object.fromEntries(tools),
    changes: above === undefined || "unreadable" in above ? [] : changesOf(above, hop).map((change) => ({ ...change })),
    flaws: hop.flaws,
  };
}
