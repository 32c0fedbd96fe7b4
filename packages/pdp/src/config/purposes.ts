import { digestOf, isIdentifier, isMemberName, isToolId, type PurposeTree } from "@ambit/core";
import { Reader } from "./reader.ts";

export interface Purpose {
  readonly id: string;
  readonly parent: string | null;
  /** Tools that this purpose can need at all. */
  readonly tools: ReadonlySet<string>;
  /** Data classes that this purpose can need; absent: the purpose does not say. */
  readonly dataClasses?: ReadonlySet<string>;
}

/** The catalogue of declared intents, a tree. */
export interface Purposes extends PurposeTree {
  get(id: string): Purpose | undefined;
}

/**
 * Reads the purpose catalogue. Refuses (`config_invalid`) a parent that is not there, a circle, and a purpose that needs a tool or a data class
 * which its parent does not have: what is below can only be smaller.
 */
export function parsePurposes(data: unknown, file = "the purposes"): Purposes {
  const reader = new Reader("config_invalid", file, data);
  const purposes = new Map<string, Purpose>();
  const entries = reader.members(["purposes"]).at("purposes").entries();
  for (const [id, entry] of entries) {
    if (!isIdentifier(id)) entry.fail("is not an id: visible ASCII, at most 256");
    entry.members(["tools"], ["parent", "description", "data_classes"]);
    const parent = entry.at("parent");
    const dataClasses = entry.at("data_classes");
    purposes.set(id, {
      id,
      parent: parent.isAbsent || parent.value === null ? null : parent.text(),
      tools: new Set(entry.at("tools").texts(isToolId, "a tool id")),
      ...(dataClasses.isAbsent ? {} : { dataClasses: new Set(dataClasses.texts(isMemberName, "a data class in snake_case")) }),
    });
  }
  for (const [id, entry] of entries) checkPlace(purposes, id, entry);
  return Object.freeze({
    get: (id: string) => purposes.get(id),
    parentOf: (id: string) => purposes.get(id)?.parent,
    digest: digestOf(reader.value),
  });
}

function checkPlace(purposes: ReadonlyMap<string, Purpose>, id: string, entry: Reader): void {
  const seen = new Set([id]);
  let child = purposes.get(id) as Purpose;
  while (child.parent !== null) {
    const parent = purposes.get(child.parent);
    if (parent === undefined) return entry.at("parent").fail(`names \`${child.parent}\`, which is not in the catalogue`);
    if (seen.has(parent.id)) return entry.at("parent").fail("is part of a circle");
    seen.add(parent.id);
    const wider = [...child.tools].find((tool) => !parent.tools.has(tool));
    if (wider !== undefined) entry.at("tools").fail(`has \`${wider}\`, which the purpose above, \`${parent.id}\`, does not have`);
    if (parent.dataClasses !== undefined) {
      const widerClass = child.dataClasses && [...child.dataClasses].find((name) => parent.dataClasses?.has(name) !== true);
      if (widerClass !== undefined) entry.at("data_classes").fail(`has \`${widerClass}\`, which the purpose above, \`${parent.id}\`, does not have`);
    }
    child = parent;
  }
}
