import { AmbitError } from "@ambit/core";

/** A part of a document that somebody else wrote. */
export type Part = Readonly<Record<string, unknown>>;

/** Why an operation is not made a tool. */
export class Unsuitable extends Error {
  readonly isUnsuitable = true;

  static isInstance(error: unknown): error is Unsuitable {
    return typeof error === "object" && error !== null && Object.hasOwn(error, "isUnsuitable");
  }
}

export interface Document {
  readonly root: Part;
  /** OpenAPI 3.0 has a dialect of schemas of its own; from 3.1 on they are JSON Schema 2020-12. */
  readonly is30: boolean;
  /** What a `$ref` stands for. Throws `Unsuitable` unless it is a JSON pointer into this document: nothing is fetched. */
  at(reference: unknown): unknown;
  /** An object of the document, whatever references lead to it. Throws `Unsuitable` where there is none. */
  object(value: unknown): Part;
}

const MOST_REFERENCES = 16;

/** Refuses (`option_invalid`) what is not a document of OpenAPI 3.0 or 3.1, as `JSON.parse` gives it. */
export function readDocument(value: unknown): Document {
  const root = asPart(value);
  const version = root && member(root, "openapi");
  if (root === undefined || typeof version !== "string" || !/^3\.[01]\.\d+$/.test(version))
    throw new AmbitError("option_invalid", "`document` is not a document of OpenAPI 3.0 or 3.1");

  const at: Document["at"] = (reference) => {
    if (typeof reference !== "string" || !/^#(?:\/|$)/.test(reference)) throw new Unsuitable("it refers to something outside of the document");
    let found: unknown = root;
    for (const segment of decoded(reference).split("/").slice(1)) found = member(found, segment.replaceAll("~1", "/").replaceAll("~0", "~"));
    if (found === undefined) throw new Unsuitable("it refers to something that the document does not have");
    return found;
  };
  const object: Document["object"] = (given) => {
    let found = given;
    for (let followed = 0; followed <= MOST_REFERENCES; followed++) {
      const part = asPart(found);
      if (part === undefined) throw new Unsuitable("the document has something else in the place of an object");
      if (!Object.hasOwn(part, "$ref")) return part;
      found = at(part["$ref"]);
    }
    throw new Unsuitable("its references have no end");
  };
  return { root, is30: version.slice(0, 4) === "3.0.", at, object };
}

export function asPart(value: unknown): Part | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Part) : undefined;
}

/** An own member of an object or a list. */
export function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Part)[name] : undefined;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The fragment of an address is percent-encoded (RFC 6901 section 6). */
function decoded(reference: string): string {
  try {
    return decodeURIComponent(reference);
  } catch {
    throw new Unsuitable("it refers to something that the document does not have");
  }
}
