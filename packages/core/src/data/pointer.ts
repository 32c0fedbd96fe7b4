import { isJsonObject, own, type Json, type JsonObject } from "./json.ts";

/**
 * A JSON pointer (RFC 6901) in which a segment `*` stands for every element of an array.
 * A member whose name is really `*` cannot be pointed at.
 */
export type Pointer = string;

export function isPointer(value: unknown): value is Pointer {
  return typeof value === "string" && (value === "" || value[0] === "/") && value.length <= 512 && !/~(?![01])/.test(value);
}

function segmentsOf(pointer: Pointer): string[] {
  return pointer === ""
    ? []
    : pointer
        .slice(1)
        .split("/")
        .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function step(value: Json, segment: string): Json | undefined {
  if (Array.isArray(value)) return /^(0|[1-9][0-9]{0,8})$/.test(segment) ? value[Number(segment)] : undefined;
  return isJsonObject(value) ? own(value, segment) : undefined;
}

/**
 * Every value that the pointer names. `undefined` when a segment is missing anywhere on the way: to a check, a value that is not there
 * is not a value that is fine.
 */
export function valuesAt(value: Json, pointer: Pointer): readonly Json[] | undefined {
  let found: Json[] = [value];
  for (const segment of segmentsOf(pointer)) {
    const next: Json[] = [];
    for (const parent of found) {
      if (segment === "*") {
        if (!Array.isArray(parent)) return undefined;
        for (const element of parent as readonly Json[]) next.push(element); // spread, a long list would not fit on the stack
        continue;
      }
      const child = step(parent, segment);
      if (child === undefined) return undefined;
      next.push(child);
    }
    found = next;
  }
  return found;
}

/**
 * A copy in which every value that the pointer names went through `edit`; `undefined` from `edit` removes it. An element that is named by
 * its index becomes `null` instead, so that the next pointer still means what it says.
 * `undefined` in all when the pointer names something that is not there.
 */
export function editAt(value: Json, pointer: Pointer, edit: (value: Json) => Json | undefined): Json | undefined {
  return editSegments(value, segmentsOf(pointer), edit, false);
}

/**
 * A copy without the values that the pointer names. A record, which is what is below a `*`, that does not have the last member is as good as one that lost
 * it, and so is any object with `mayLackLast`. `undefined` in all when anything else is not there: then the value is built in another way than the pointer
 * thinks, and what it is about may stand elsewhere.
 */
export function removeAt(value: Json, pointer: Pointer, mayLackLast: boolean): Json | undefined {
  const segments = segmentsOf(pointer);
  return editSegments(value, segments, () => undefined, mayLackLast || segments.slice(0, -1).includes("*"));
}

/** The pointer to what the last segment is looked up in; `undefined` for the pointer to everything. */
export function parentOf(pointer: Pointer): Pointer | undefined {
  return pointer === "" ? undefined : pointer.slice(0, pointer.lastIndexOf("/"));
}

const MISSING = Symbol("missing");

function editSegments(value: Json, segments: readonly string[], edit: (value: Json) => Json | undefined, mayLackLast: boolean): Json | undefined {
  const walk = (current: Json, index: number): Json | undefined | typeof MISSING => {
    const segment = segments[index];
    if (segment === undefined) return edit(current);
    if (segment === "*") {
      if (!Array.isArray(current)) return MISSING;
      const kept: Json[] = [];
      for (const element of current as readonly Json[]) {
        const edited = walk(element, index + 1);
        if (edited === MISSING) return MISSING;
        if (edited !== undefined) kept.push(edited);
      }
      return kept;
    }
    const child = step(current, segment);
    if (child === undefined) return mayLackLast && index === segments.length - 1 && isJsonObject(current) ? current : MISSING;
    const edited = walk(child, index + 1);
    if (edited === MISSING) return MISSING;
    if (Array.isArray(current)) return current.map((element: Json, at) => (at === Number(segment) ? (edited ?? null) : element));
    const { [segment]: _, ...rest } = current as JsonObject;
    return edited === undefined ? rest : { ...rest, [segment]: edited };
  };
  const result = walk(value, 0);
  return result === MISSING ? undefined : result;
}
