import { serializeEnvelope, type JsonObject } from "@ambit/core";
import { AMBIT_ENTRY } from "@ambit/core/token";
import { leafOf, type Chain, type ChainLink } from "../envelopes/chain.ts";

/** RFC 7662 section 2.2: what is not active is not explained. */
export const INACTIVE: JsonObject = Object.freeze({ active: false });

/** What a chain says, as claims of its leaf (RFC 7662), with those above as `act` (RFC 8693 section 4.1: the outermost is who acts, the others are history). */
export function introspected(chain: Chain): JsonObject {
  const leaf = leafOf(chain);
  const { envelope, holder } = leaf;
  return {
    active: true,
    token_type: "aat",
    ...(chain.issuer === undefined ? {} : { iss: chain.issuer }),
    sub: envelope.delegatorId,
    client_id: envelope.agentId,
    jti: leaf.id,
    iat: seconds(leaf.issuedAt),
    exp: seconds(envelope.expiresAt),
    ...(holder === undefined ? {} : { cnf: { jkt: holder } }),
    act: actors(chain.links),
    authorization_details: [{ type: AMBIT_ENTRY, ...serializeEnvelope(envelope) }],
    lineage: chain.lineage,
    chain: chain.links.map((link) => ({
      jti: link.id,
      client_id: link.envelope.agentId,
      iat: seconds(link.issuedAt),
      exp: seconds(link.envelope.expiresAt),
      ...(link.holder === undefined ? {} : { cnf: { jkt: link.holder } }),
    })),
  };
}

function actors(links: readonly ChainLink[]): JsonObject {
  return links.reduce<JsonObject>((above, { envelope }) => ({ sub: envelope.agentId, ...(Object.hasOwn(above, "sub") ? { act: above } : {}) }), {});
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
