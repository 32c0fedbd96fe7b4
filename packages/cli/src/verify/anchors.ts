import { copyData, isIdentifier, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import { trustAnchor, type EnvelopeAnchor, type TrustAnchor } from "@ambit/core/token";
import { fileError, reasonOf } from "../cli-error.ts";

export type AnchorKind = EnvelopeAnchor["kind"];

const MEMBERS: Readonly<Record<AnchorKind, readonly string[]>> = {
  ambit: ["kind", "issuer", "jwk", "kid", "tenants"],
  aat: ["kind", "issuer", "jwk", "kid", "tenant_id", "delegator_id", "purpose"],
};

/**
 * Reads `anchors.json`: a list of anchors of either kind. Refuses (`file_malformed`) unknown and missing members, and two anchors of one key and
 * name: a chain would be of the first of them, whatever the second says.
 */
export function parseAnchors(raw: unknown, file: string): readonly EnvelopeAnchor[] {
  const list = plain(raw, file);
  if (!Array.isArray(list) || list.length === 0) throw fileError("malformed", `\`${file}\` must be a list of anchors, with at least one`);
  const anchors = (list as readonly Json[]).map((entry, index) => parseAnchor(entry, `\`${file}\`, anchor ${index + 1}`));
  const names = new Set<string>();
  for (const [index, { issuer, key }] of anchors.entries()) {
    const name = `${key.thumbprint} ${issuer}`;
    if (names.has(name)) throw fileError("malformed", `\`${file}\`, anchor ${index + 1} has the issuer and the key of one before`);
    names.add(name);
  }
  return anchors;
}

function parseAnchor(entry: Json, place: string): EnvelopeAnchor {
  const fail = (reason: string): never => {
    throw fileError("malformed", `${place} ${reason}`);
  };
  if (!isJsonObject(entry)) return fail("must be an object");
  const kind = own(entry, "kind");
  if (kind !== "ambit" && kind !== "aat") return fail("must have the `kind` `ambit` or `aat`");
  const unknown = Object.keys(entry).find((member) => !MEMBERS[kind].includes(member));
  if (unknown !== undefined) return fail(`has the member \`${unknown}\`; those of kind \`${kind}\` are ${MEMBERS[kind].join(", ")}`);
  const anchor = trusted(entry, place);
  if (kind === "ambit") {
    const tenants = own(entry, "tenants");
    if (!Array.isArray(tenants) || tenants.length === 0 || !tenants.every(isIdentifier)) return fail("must list the `tenants` that its issuer speaks for");
    return Object.freeze({ ...anchor, kind, tenants: new Set(tenants as readonly string[]) });
  }
  const [tenantId, delegatorId, purpose] = [own(entry, "tenant_id"), own(entry, "delegator_id"), own(entry, "purpose")];
  if (!isIdentifier(tenantId) || !isIdentifier(delegatorId) || !isIdentifier(purpose))
    return fail("must say what its chains stand for: `tenant_id`, `delegator_id` and `purpose`");
  return Object.freeze({ ...anchor, kind, tenantId, delegatorId, purpose });
}

/** The members that every anchor has. */
function trusted(entry: JsonObject, place: string): TrustAnchor {
  const members = ["issuer", "jwk", "kid"].flatMap((member) => (Object.hasOwn(entry, member) ? [[member, own(entry, member)] as const] : []));
  try {
    return trustAnchor(Object.fromEntries(members) as JsonObject);
  } catch (cause) {
    throw fileError("malformed", `${place}: ${reasonOf(cause)}`);
  }
}

function plain(raw: unknown, file: string): Json {
  try {
    return copyData(raw, "option_invalid", "it");
  } catch (cause) {
    throw fileError("malformed", `\`${file}\`: ${reasonOf(cause)}`);
  }
}
