import { isToolId } from "@ambit/core";

/** What a tool is to be called in the manifest, or why it cannot be there. */
export type ToolIdAnswer = { readonly id: string } | { readonly refused: string };

/** Own members of plain data must not be called like this. */
const RESERVED: ReadonlySet<string> = new Set(["__proto__", "constructor"]);

/**
 * The tool id for a name. A name that may be an id is its own. Other names of visible ASCII are mapped, so that no two of them get the same id:
 * `-` and what an id cannot have become `-` and two hexadecimal digits. Refuses all else: a name with characters that look like others,
 * or like nothing, is not a name to write rules about.
 */
export function toolIdOf(name: unknown): ToolIdAnswer {
  if (typeof name !== "string" || name === "") return { refused: "its name is not text" };
  if (RESERVED.has(name)) return { refused: "its name is reserved" };
  if (fits(name)) return { id: name };
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(name)) return { refused: "its name has characters other than visible ASCII" };
  const id = name.replaceAll(/[^A-Za-z0-9_.]/g, (character) => `-${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return fits(id) ? { id } : { refused: "its name is longer than 128 characters" };
}

/** As a plain test: the predicate of core would narrow the rest of the text away. */
function fits(name: string): boolean {
  return isToolId(name);
}

/**
 * The names without dots by which models and frameworks call the tools; tools whose name would also be another's get none.
 * INVARIANT I14: nobody's exact name is given to somebody else.
 */
export function aliasesOf(ids: readonly string[]): ReadonlyMap<string, string> {
  const aliasOf = (id: string): string => id.replaceAll(".", "_");
  const exact = new Set(ids);
  const claims = Map.groupBy(ids, aliasOf);
  return new Map(
    ids.flatMap((id) => {
      const alias = aliasOf(id);
      const isFree = alias === id || (!exact.has(alias) && claims.get(alias)?.length === 1);
      return isFree ? [[id, alias]] : [];
    }),
  );
}
