import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { policySetTextToParts, schemaToJsonWithResolvedTypes, type EntityJson, type SchemaJson, type TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";

/** Cedar's own integration tests, which a fuzzer made; read in place beside the repository, absent elsewhere. */
const path = fileURLToPath(new URL("../../../../../../shared/vectors/cedar/corpus.tar.gz", import.meta.url));

export const hasCorpus: boolean = existsSync(path);

export interface CorpusCase {
  readonly name: string;
  readonly policies: ReadonlyMap<string, string>;
  readonly schema: SchemaJson<string>;
  readonly entities: readonly EntityJson[];
  readonly requests: readonly CorpusRequest[];
}

export interface CorpusRequest {
  readonly principal: TypeAndId;
  readonly action: TypeAndId;
  readonly resource: TypeAndId;
  readonly context: object;
  readonly decision: "allow" | "deny";
  readonly reason: readonly string[];
  readonly errors: readonly string[];
}

/** Every `step`th case, in the order of the archive. */
export function* corpusCases(step: number): Generator<CorpusCase> {
  const files = new Map<string, string>();
  for (const [name, text] of tarFiles(gunzipSync(readFileSync(path)))) files.set(name, text);
  const names = [...files.keys()].filter((name) => name.endsWith(".cedar")).sort();
  for (let index = 0; index < names.length; index += step) {
    const name = (names[index] ?? "").slice(0, -".cedar".length);
    const read = (ending: string): string => files.get(name + ending) ?? "";
    const schema = schemaToJsonWithResolvedTypes(read(".cedarschema"));
    if (schema.type === "failure") throw new Error(`${name}: the schema does not parse`);
    yield {
      name,
      policies: policiesOf(read(".cedar")),
      schema: schema.json,
      entities: exactJson(read(".entities.json")) as readonly EntityJson[],
      requests: (exactJson(read(".json")) as { readonly requests: readonly CorpusRequest[] }).requests,
    };
  }
}

/** By the ids that Cedar numbers them with. The parts come in the order of these ids as texts, `policy10` before `policy2`. */
function policiesOf(text: string): ReadonlyMap<string, string> {
  const parts = policySetTextToParts(text);
  if (parts.type === "failure") throw new Error("the policies do not parse");
  const ids = parts.policies.map((_, index) => `policy${index}`).sort();
  return new Map(parts.policies.map((policy, index) => [ids[index] ?? "", policy]));
}

/** Numbers that leave the safe range as `bigint`. */
function exactJson(text: string): unknown {
  const exact = (_: string, value: unknown, { source }: { readonly source: string }): unknown =>
    typeof value === "number" && !Number.isSafeInteger(value) ? BigInt(source) : value;
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown);
}

/** The files of a tar archive: a head of 512 bytes with name and size, then the content, filled up to 512 bytes. */
function* tarFiles(archive: Buffer): Generator<readonly [string, string]> {
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
    const field = (from: number, length: number): string => archive.toString("utf8", at + from, at + from + length).replace(/\0.*$/s, "");
    const size = Number.parseInt(field(124, 12), 8);
    if (archive[at + 156] === 0x30) yield [field(0, 100), archive.toString("utf8", at + 512, at + 512 + size)];
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
