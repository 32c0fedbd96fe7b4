import { checkParsePolicySet, policySetTextToParts, policyToJson, validate, type DetailedError, type SchemaJson } from "@cedar-policy/cedar-wasm/nodejs";
import { AmbitError } from "@ambit/core";

/** A file of policies. */
export interface PolicyFile {
  readonly name: string;
  readonly text: string;
}

/** Policies by id, each with the place it stands at. */
export type Policies = ReadonlyMap<string, LocatedPolicy>;

export interface LocatedPolicy {
  readonly file: PolicyFile;
  readonly offset: number;
  readonly text: string;
}

/** Beyond about 100 nested brackets, 1000 nested `if`s or some thousand operators in a row, the parser takes its whole wasm instance down, for good. */
const MAX_NESTING = 64;
const MAX_CONDITIONALS = 200;
const MAX_OPERATORS = 1000;
const OPENING: ReadonlySet<string> = new Set(["(", "[", "{"]);
const CLOSING: ReadonlySet<string> = new Set([")", "]", "}"]);
const OPERATORS: ReadonlySet<string> = new Set(["&&", "||", "-", "+", "*", "!", "<", ">", "=", "."]);
const MAX_CHARACTERS = 1_048_576;

/**
 * Parses policies. Refuses (`policy_invalid`, with file, line and column) what does not parse, two policies of one id, and templates.
 * A policy's id is its `@id`, else `file#number`.
 */
export function parsePolicies(files: readonly PolicyFile[]): Policies {
  const policies = new Map<string, LocatedPolicy>();
  for (const file of files) {
    checkSize(file);
    const parsed = checkParsePolicySet({ staticPolicies: file.text });
    if (parsed.type === "failure") fail(file, 0, parsed.errors[0]);
    const parts = policySetTextToParts(file.text);
    if (parts.type === "failure") return fail(file, 0, parts.errors[0]);
    if (parts.policy_templates.length > 0) throw new AmbitError("policy_invalid", `${file.name}: templates (\`?principal\`, \`?resource\`) are not supported`);
    for (const [index, { offset, text }] of inOrder(file, parts.policies).entries()) {
      const id = idOf(text) ?? `${file.name}#${index + 1}`;
      if (policies.has(id)) throw new AmbitError("policy_invalid", `${at(file, offset)}: the id \`${id}\` is used twice`);
      policies.set(id, { file, offset, text });
    }
  }
  return policies;
}

/** The policies as they stand in the file: Cedar numbers them, and tells them in the order of these numbers as text. */
function inOrder({ text: all }: PolicyFile, texts: readonly string[]): readonly { readonly offset: number; readonly text: string }[] {
  const taken = new Map<string, number>();
  const found = texts.map((text) => {
    // The same policy twice stands in two places.
    const offset = all.indexOf(text, taken.get(text) ?? 0);
    taken.set(text, offset + text.length);
    return { offset, text };
  });
  return found.toSorted((a, b) => a.offset - b.offset);
}

/** Every attribute name that the policies read, ask for or compare with. */
export function attributesOf(policies: Policies): ReadonlySet<string> {
  const names = new Set<string>();
  const collect = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === "attr") for (const name of [value].flat()) names.add(String(name));
      if (key === "Record" && typeof value === "object" && value !== null) for (const name of Object.keys(value)) names.add(name);
      collect(value);
    }
  };
  for (const { text } of policies.values()) {
    const parsed = policyToJson(text);
    if (parsed.type === "success") collect(parsed.json.conditions);
  }
  return names;
}

function checkSize(file: PolicyFile): void {
  const tooDeep = (): never => {
    throw new AmbitError("policy_invalid", `${file.name}: is nested deeper than ${MAX_NESTING} levels`);
  };
  if (file.text.length > MAX_CHARACTERS) throw new AmbitError("policy_invalid", `${file.name}: is larger than ${MAX_CHARACTERS} characters`);
  let depth = 0;
  let conditionals = 0;
  let operators = 0;
  // Strings and comments are skipped, so that what is inside them neither opens nor closes anything.
  for (const [token] of file.text.matchAll(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|[([{]|[)\]}]|\bif\b|&&|\|\||[-+*!<>=.;]/g)) {
    if (OPENING.has(token) && ++depth > MAX_NESTING) tooDeep();
    if (CLOSING.has(token)) depth = Math.max(0, depth - 1);
    // Counted from policy to policy: a long file is not a long expression.
    if (token === ";") operators = 0;
    else if (OPERATORS.has(token) && ++operators > MAX_OPERATORS)
      throw new AmbitError("policy_invalid", `${file.name}: a policy has more than ${MAX_OPERATORS} operators`);
    if (token === "if" && ++conditionals > MAX_CONDITIONALS) tooDeep();
  }
}

function idOf(policy: string): string | undefined {
  const parsed = policyToJson(policy);
  const annotations = parsed.type === "success" ? parsed.json.annotations : undefined;
  return annotations !== undefined && Object.hasOwn(annotations, "id") ? annotations["id"] : undefined;
}

/**
 * Strictly validates policies against the schema. Refuses (`policy_invalid`, with file, line and column) what does not type-check and what can never apply:
 * a `forbid` that is always skipped protects nothing.
 */
export function checkTypes(policies: Policies, schema: SchemaJson<string>): void {
  const staticPolicies = Object.fromEntries([...policies].map(([id, { text }]) => [id, text]));
  const answer = validate({ schema, policies: { staticPolicies }, validationSettings: { mode: "strict" } });
  if (answer.type === "failure") throw new AmbitError("policy_invalid", `the policies cannot be checked: ${answer.errors[0]?.message ?? "no reason given"}`);
  const [first] = [...answer.validationErrors, ...answer.validationWarnings];
  if (first === undefined) return;
  const located = policies.get(first.policyId);
  if (located === undefined) throw new AmbitError("policy_invalid", first.error.message);
  fail(located.file, located.offset, first.error);
}

function fail(file: PolicyFile, offset: number, error: DetailedError | undefined): never {
  const location = error?.sourceLocations?.[0];
  const expected = location?.label ?? undefined;
  const reason = [error?.message ?? "does not parse", error?.help ?? undefined, expected].filter((part) => part !== undefined).join("; ");
  throw new AmbitError("policy_invalid", `${at(file, offset, location?.start ?? 0)}: ${reason}`);
}

/** `file:line:column`. Cedar counts UTF-8 bytes from the start of the policy, which itself stands at a character offset. */
function at(file: PolicyFile, offset: number, bytes = 0): string {
  const rest = Buffer.from(file.text.slice(offset), "utf8");
  const before = file.text.slice(0, offset) + rest.subarray(0, bytes).toString("utf8");
  const lines = before.split("\n");
  return `${file.name}:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}
