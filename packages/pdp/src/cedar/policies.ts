import { checkParsePolicySet, policySetTextToParts, policyToJson, validate, type DetailedError, type SchemaJson } from "@cedar-policy/cedar-wasm/nodejs";
import { AmbitError } from "@ambit/core";

/** A file of policies. */
export interface PolicyFile {
  readonly name: string;
  readonly text: string;
}

/** Policy text by id. */
export type PolicyTexts = ReadonlyMap<string, string>;

interface Located {
  readonly file: PolicyFile;
  readonly offset: number;
  readonly text: string;
}

/** Beyond about 100 nested brackets, or 1000 nested `if`s, the parser takes its whole wasm instance down, for good. */
const MAX_NESTING = 64;
const MAX_CONDITIONALS = 200;
const OPENING: ReadonlySet<string> = new Set(["(", "[", "{"]);
const CLOSING: ReadonlySet<string> = new Set([")", "]", "}"]);
const MAX_CHARACTERS = 1_048_576;

/**
 * Parses and strictly validates policies against the schema. Refuses (`policy_invalid`, with file, line and column): what does not parse, what does not
 * type-check, what can never apply (a `forbid` that is always skipped protects nothing), two policies of one id, templates.
 * A policy's id is its `@id`, else `file#number`.
 */
export function loadPolicies(files: readonly PolicyFile[], schema: SchemaJson<string>): PolicyTexts {
  const policies = new Map<string, Located>();
  for (const file of files) {
    checkSize(file);
    const parsed = checkParsePolicySet({ staticPolicies: file.text });
    if (parsed.type === "failure") fail(file, 0, parsed.errors[0]);
    const parts = policySetTextToParts(file.text);
    if (parts.type === "failure") return fail(file, 0, parts.errors[0]);
    if (parts.policy_templates.length > 0) throw new AmbitError("policy_invalid", `${file.name}: templates (\`?principal\`, \`?resource\`) are not supported`);
    let offset = 0;
    parts.policies.forEach((text, index) => {
      offset = file.text.indexOf(text, offset);
      const id = idOf(text) ?? `${file.name}#${index + 1}`;
      if (policies.has(id)) throw new AmbitError("policy_invalid", `${at(file, offset)}: the id \`${id}\` is used twice`);
      policies.set(id, { file, offset, text });
      offset += text.length;
    });
  }
  checkTypes(policies, schema);
  return new Map([...policies].map(([id, { text }]) => [id, text]));
}

function checkSize(file: PolicyFile): void {
  const tooDeep = (): never => {
    throw new AmbitError("policy_invalid", `${file.name}: is nested deeper than ${MAX_NESTING} levels`);
  };
  if (file.text.length > MAX_CHARACTERS) throw new AmbitError("policy_invalid", `${file.name}: is larger than ${MAX_CHARACTERS} characters`);
  let depth = 0;
  let conditionals = 0;
  // Strings and comments are skipped, so that what is inside them neither opens nor closes anything.
  for (const [token] of file.text.matchAll(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|[([{]|[)\]}]|\bif\b/g)) {
    if (OPENING.has(token) && ++depth > MAX_NESTING) tooDeep();
    if (CLOSING.has(token)) depth = Math.max(0, depth - 1);
    if (token === "if" && ++conditionals > MAX_CONDITIONALS) tooDeep();
  }
}

function idOf(policy: string): string | undefined {
  const parsed = policyToJson(policy);
  const annotations = parsed.type === "success" ? parsed.json.annotations : undefined;
  return annotations !== undefined && Object.hasOwn(annotations, "id") ? annotations["id"] : undefined;
}

function checkTypes(policies: ReadonlyMap<string, Located>, schema: SchemaJson<string>): void {
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
