// Writes the vectors anew: `node --experimental-strip-types spec/vectors/generate.ts && npx prettier --write spec/vectors`. What they expect is in `source/`.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ATTENUATION } from "./source/attenuation.ts";
import type { Members } from "./source/base.ts";
import { CALL } from "./source/call.ts";
import { ENVELOPE } from "./source/envelope.ts";
import { EXPORT } from "./source/export.ts";
import { RELATIONS } from "./source/relations.ts";
import { TOKEN } from "./source/token.ts";

/** Every file and what belongs into it. Nothing in it depends on when or where it is made. */
export const FILES: Readonly<Record<"envelope" | "attenuation" | "token" | "call" | "export" | "relations", Members>> = {
  envelope: ENVELOPE,
  attenuation: ATTENUATION,
  token: TOKEN,
  call: CALL,
  export: EXPORT,
  relations: RELATIONS,
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, content] of Object.entries(FILES)) writeFileSync(new URL(`${name}.json`, import.meta.url), `${JSON.stringify(content, null, 2)}\n`);
}
