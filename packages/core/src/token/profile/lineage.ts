import { own, type JsonObject } from "../../data/json.ts";
import type { TokenClaims } from "../claims.ts";

/** The type of the entry by which the root of a task that goes on names the lineage that it belongs to. Its issuer says so; in a derived token it says nothing. */
const LINEAGE_ENTRY = "urn:ambit:lineage:1";

export function writeLineage(lineage: string): JsonObject {
  return { lineage, type: LINEAGE_ENTRY };
}

/** The lineage that a root belongs to: its own, `undefined`, when it names none; `null` when what it names is none. */
export function readLineage(root: TokenClaims): string | undefined | null {
  const entries = root.details.filter((detail) => own(detail, "type") === LINEAGE_ENTRY);
  const [entry] = entries;
  if (entry === undefined) return undefined;
  const lineage = own(entry, "lineage");
  return entries.length === 1 && typeof lineage === "string" && /^env_[A-Za-z0-9_-]{43}$/.test(lineage) ? lineage : null;
}
