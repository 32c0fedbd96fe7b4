import { Unsuitable } from "./document.ts";
import { unfit } from "./written.ts";

/** A path with names in it (OpenAPI 3.1 section 4.8.8). */
export interface PathTemplate {
  readonly names: readonly string[];
  /** The path with what stands for each name, encoded. Throws `argument_not_allowed` when it would not have the segments that the template has. */
  withTexts(texts: ReadonlyMap<string, string>): string;
}

/** What may stand in a segment as it is (RFC 3986 section 3.3): nothing that is encoded, and no query. */
const LITERAL = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/]*$/;
/** A segment that a reader leaves out or takes for another, however it is written. */
const DOTS = /^(?:\.|%2e){1,2}(?:;|%3b|$)/i;
/** Only what is in the address after parsing counts. */
const ANYWHERE = "https://host.invalid";

export function readPathTemplate(base: string, template: string): PathTemplate {
  // A list of odd length: between two literals stands a name.
  const pieces = template.split(/\{([^{}/]+)\}/);
  const names = pieces.filter((_, index) => index % 2 === 1);
  const literals = pieces.filter((_, index) => index % 2 === 0);
  if (template[0] !== "/" || !literals.every((literal) => LITERAL.test(literal))) throw new Unsuitable("its path is not a plain one");
  if (new Set(names).size !== names.length) throw new Unsuitable("its path has a name twice");
  const join = (textOf: (name: string) => string): string => `${base}${pieces.map((piece, index) => (index % 2 === 1 ? textOf(piece) : piece)).join("")}`;
  const count = join(() => "x").split("/").length;

  const isKept = (path: string): boolean => {
    const segments = path.split("/").slice(1);
    const isEmpty = (segment: string, index: number): boolean => segment === "" && index !== segments.length - 1;
    if (segments.length + 1 !== count || segments.some((segment, index) => isEmpty(segment, index) || DOTS.test(segment))) return false;
    return URL.canParse(path, ANYWHERE) && new URL(path, ANYWHERE).pathname === path;
  };
  if (!isKept(join(() => "x"))) throw new Unsuitable("its path is not a plain one");
  return {
    names,
    withTexts: (texts) => {
      const path = join((name) => texts.get(name) ?? "");
      // The base path is the operator's and the template the document's; an argument changes neither.
      if (!isKept(path)) throw unfit("the path would be another one");
      return path;
    },
  };
}
