import { unsupported } from "./unsupported.ts";

/** A node of Cedar's JSON, or a part of one. */
export type Node = Readonly<Record<string, unknown>>;

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An own member, which must be there: the JSON comes from Cedar's parser, so anything else is a form that this compiler was not made for. */
export function part(node: unknown, name: string): unknown {
  if (isNode(node) && Object.hasOwn(node, name)) return node[name];
  return unsupported(`a policy without \`${name}\` where there should be one`);
}

export function textPart(node: unknown, name: string): string {
  const value = part(node, name);
  return typeof value === "string" ? value : unsupported(`a \`${name}\` that is no text`);
}

export function listPart(node: unknown, name: string): readonly unknown[] {
  const value = part(node, name);
  return Array.isArray(value) ? value : unsupported(`a \`${name}\` that is no list`);
}

/** The only member of a node: what kind of expression it is, and of what. */
export function single(node: unknown): readonly [string, unknown] {
  const [entry, ...further] = isNode(node) ? Object.entries(node) : [];
  return entry === undefined || further.length > 0 ? unsupported("an expression of more than one kind") : entry;
}
