import { AmbitError, copyData, isJsonObject, own, type Coverage, type CoverageItem, type Json } from "@ambit/core";

const KINDS: ReadonlySet<string> = new Set<CoverageItem["kind"]>(["server", "tool", "agent", "provider_tool"]);
const LIMITS = { depth: 8, nodes: 1_000_000, characters: 16_777_216 };

/** One coverage or a list of them, or why it is none: members of another type, an unknown kind, a name or a point that is empty. */
export function parseCoverage(raw: unknown): readonly Coverage[] | string {
  try {
    const data = copyData(raw ?? null, "option_invalid", "it", LIMITS);
    const list = Array.isArray(data) ? (data as readonly Json[]) : [data];
    for (const [at, each] of list.entries()) {
      const flaw = flawOf(each);
      if (flaw !== undefined) return `${Array.isArray(data) ? `element ${at}` : "it"} ${flaw}`;
    }
    return list as unknown as readonly Coverage[];
  } catch (error) {
    return AmbitError.isInstance(error) ? error.message : "it cannot be read";
  }
}

function flawOf(data: Json): string | undefined {
  if (!isJsonObject(data)) return "is no object with `adapter` and `items`";
  const items = own(data, "items");
  if (!isName(own(data, "adapter"))) return "has no name of an adapter, `adapter`";
  if (!Array.isArray(items)) return "has no list `items`";
  const at = (items as readonly Json[]).findIndex((item) => !isItem(item));
  return at === -1 ? undefined : `has at ${at} of \`items\` what is none: \`kind\` (${[...KINDS].join(", ")}), \`name\`, \`coveredBy\`?, \`note\`?`;
}

function isItem(item: Json): boolean {
  if (!isJsonObject(item)) return false;
  const [coveredBy, note] = [own(item, "coveredBy"), own(item, "note")];
  const isKnown = KINDS.has(own(item, "kind") as string) && isName(own(item, "name"));
  return isKnown && (coveredBy === undefined || isName(coveredBy)) && (note === undefined || typeof note === "string");
}

function isName(value: Json | undefined): boolean {
  return typeof value === "string" && value !== "";
}
