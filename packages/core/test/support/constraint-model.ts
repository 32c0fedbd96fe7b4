/*
 * Constraints and their order once more, row by row from the tables of draft sections 3.3, 3.4 and 4.5: on the wire form, plain and slow, and
 * nothing of `src` is called. What is compared with it must come to the same verdict.
 */
export type Wire = Readonly<Record<string, unknown>>;

interface Bound {
  readonly at: number;
  readonly isOpen: boolean;
}

interface Term {
  readonly kind: string;
  /** Of `exact`, and of the lists: each value by its one text. */
  readonly texts: readonly string[];
  readonly value?: unknown;
  readonly low?: Bound | undefined;
  readonly high?: Bound | undefined;
  readonly clauses: readonly Term[];
}

/** The text that two values share exactly when they are equal: members sorted, numbers and text as ECMAScript writes them. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const names = Object.keys(value).toSorted((left, right) => (left < right ? -1 : 1));
  return `{${names.map((name) => `${JSON.stringify(name)}:${textOf((value as Wire)[name])}`).join(",")}}`;
}

const LISTS: Wire = { one_of: "values", not_one_of: "excluded", contains: "required", subset: "allowed" };

/** A well-formed constraint, taken apart once so that it can be asked often. */
export function termOf(wire: Wire): Term {
  const kind = wire["constraint_type"] as string;
  const list = (wire[LISTS[kind] as string] ?? (kind === "exact" ? [wire["value"]] : [])) as readonly unknown[];
  const bound = (at: string): Bound | undefined =>
    Object.hasOwn(wire, at) ? { at: wire[at] as number, isOpen: wire[`${at}_inclusive`] === false } : undefined;
  const clauses = ((wire["constraints"] ?? []) as readonly Wire[]).map(termOf);
  return { kind, texts: list.map(textOf), value: wire["value"], low: bound("min"), high: bound("max"), clauses };
}

const isPart = (part: readonly string[], whole: readonly string[]): boolean => part.every((text) => whole.includes(text));

/** Whether what `inner` begins with is not below where `outer` begins; without a bound it begins nowhere. */
function beginsWithin(inner: Bound | undefined, outer: Bound | undefined): boolean {
  if (outer === undefined) return true;
  if (inner === undefined) return false;
  return inner.at === outer.at ? inner.isOpen || !outer.isOpen : inner.at > outer.at;
}

/** Turned around, an end is a beginning. */
const mirrored = (bound: Bound | undefined): Bound | undefined => (bound === undefined ? undefined : { at: -bound.at, isOpen: bound.isOpen });

function holdsNumber({ low, high }: Term, value: unknown): boolean {
  const point: Bound = { at: value as number, isOpen: false };
  return typeof value === "number" && beginsWithin(point, low) && beginsWithin(mirrored(point), mirrored(high));
}

/** The legal pairs of draft section 4.5 below a parent other than `wildcard`; a pair that is not here is a refusal. */
const CELLS: Readonly<Record<string, (parent: Term, child: Term) => boolean>> = {
  "exact exact": (parent, child) => parent.texts[0] === child.texts[0],
  "range range": (parent, child) => beginsWithin(child.low, parent.low) && beginsWithin(mirrored(child.high), mirrored(parent.high)),
  "range exact": (parent, child) => holdsNumber(parent, child.value),
  "one_of one_of": (parent, child) => child.texts.length > 0 && isPart(child.texts, parent.texts),
  "one_of exact": (parent, child) => isPart(child.texts, parent.texts),
  "not_one_of not_one_of": (parent, child) => isPart(parent.texts, child.texts),
  "contains contains": (parent, child) => isPart(parent.texts, child.texts),
  "subset subset": (parent, child) => isPart(child.texts, parent.texts),
  "all all": (parent, child) => parent.clauses.every((clause) => child.clauses.some((own) => covers(clause, own))),
  "any any": (parent, child) => child.clauses.every((own) => parent.clauses.some((clause) => covers(clause, own))),
};

/** Whether the draft lets `child` stand below `parent`. */
export function covers(parent: Term, child: Term): boolean {
  return parent.kind === "wildcard" || CELLS[`${parent.kind} ${child.kind}`]?.(parent, child) === true;
}

/** Whether a constraint accepts a value (draft section 3.4). */
export function takes({ kind, texts, clauses, ...term }: Term, value: unknown): boolean {
  const elements = (): readonly string[] => (value as readonly unknown[]).map(textOf);
  switch (kind) {
    case "exact":
    case "one_of":
      return texts.includes(textOf(value));
    case "not_one_of":
      return !texts.includes(textOf(value));
    case "range":
      return holdsNumber({ kind, texts, clauses, ...term }, value);
    case "contains":
      return Array.isArray(value) && isPart(texts, elements());
    case "subset":
      return Array.isArray(value) && isPart(elements(), texts);
    case "all":
      return clauses.every((clause) => takes(clause, value));
    case "any":
      return clauses.some((clause) => takes(clause, value));
    default:
      return kind === "wildcard";
  }
}

interface Map {
  readonly isOpen: boolean;
  readonly named: Readonly<Record<string, { readonly term: Term; readonly isOptional: boolean }>>;
}

/** A constraint map of draft section 3.3: `{}` stands for `*` alone, and without `*` the world is closed. */
export function mapOf(wire: Wire): Map {
  const names = Object.keys(wire);
  const entries = names.filter((name) => name !== "*").map((name) => [name, wire[name] as Wire] as const);
  const named = Object.fromEntries(entries.map(([name, entry]) => [name, { term: termOf(entry), isOptional: entry["optional"] === true }]));
  return { isOpen: names.length === 0 || Object.hasOwn(wire, "*"), named };
}

/** Whether a call with these arguments is within the map. */
export function mapTakes({ isOpen, named }: Map, args: Wire): boolean {
  const isWithin = ([name, { term, isOptional }]: readonly [string, Map["named"][string]]): boolean =>
    Object.hasOwn(args, name) ? takes(term, args[name]) : isOptional;
  return Object.entries(named).every(isWithin) && (isOpen || Object.keys(args).every((name) => Object.hasOwn(named, name)));
}

/** The steps of draft section 8 at which a child's tools fail below those of its parent; none when it is narrower. */
export function failingSteps(parent: Wire, child: Wire): ReadonlySet<string> {
  const failing = new Set<string>();
  const demand = (step: string, holds: boolean): unknown => holds || failing.add(step);
  for (const [tool, wire] of Object.entries(child)) {
    demand("4p1", Object.hasOwn(parent, tool));
    if (!Object.hasOwn(parent, tool)) continue;
    const [above, below] = [mapOf(parent[tool] as Wire), mapOf(wire as Wire)];
    demand("4p2", above.isOpen || !below.isOpen);
    for (const [name, { term, isOptional }] of Object.entries(below.named)) {
      const limit = Object.hasOwn(above.named, name) ? above.named[name] : undefined;
      demand("4p2", limit !== undefined || above.isOpen);
      demand("4p3", limit === undefined || limit.isOptional || !isOptional);
      demand("4p4", limit === undefined ? true : covers(limit.term, term));
    }
    for (const [name, { isOptional }] of Object.entries(above.named)) demand("4p2", Object.hasOwn(below.named, name) || (isOptional && !below.isOpen));
  }
  return failing;
}
