import type { SchemaJson } from "@cedar-policy/cedar-wasm/nodejs";
import type { CedarEvaluator } from "./evaluator.ts";
import { exactPolicyJson } from "./exact-json.ts";
import { compilePolicy } from "./policy.ts";
import { decide, indexOf } from "./policy-set.ts";
import { requestReader } from "./request.ts";
import { readSchema } from "./schema.ts";
import { orUnsupported, type Unsupported } from "./unsupported.ts";

/**
 * An evaluator of policies (texts by id, which cedar-wasm has parsed) against a schema (which it has accepted), made of closures. What comes back is
 * `unsupported` as a whole if a single policy needs what the compiler does not have: a policy left out would be a `forbid` that does not hold.
 */
export function compilePolicies(policies: ReadonlyMap<string, string>, schemaJson: SchemaJson<string>): CedarEvaluator | Unsupported {
  return orUnsupported(() => {
    const schema = readSchema(schemaJson);
    const select = indexOf([...policies].map(([id, text]) => compilePolicy(id, exactPolicyJson(text))));
    const reader = requestReader(schema);
    return {
      name: "compiled",
      batch: () => {
        const read = reader();
        return (request) => {
          const conforming = read(request);
          return decide(select(conforming), conforming);
        };
      },
    };
  });
}
