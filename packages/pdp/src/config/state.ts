import { resolve } from "node:path";
import type { Reader } from "./reader.ts";

/** Where state is kept, as a person writes it. A `url` with a password belongs into the environment: `url_env` is the name of its variable. */
export type StatePart =
  | "memory"
  | { readonly kind: "sqlite"; readonly path: string }
  | ({ readonly kind: "postgres"; readonly schema?: string; readonly replica?: { readonly max_lag_ms?: number } & Address } & Address)
  | ({ readonly kind: "redis"; readonly prefix?: string } & Address);

type Address = { readonly url: string } | { readonly url_env: string };

/** The same, with an absolute path and the whole URL: nothing that is shown to anybody. */
export type StateConfig =
  | { readonly kind: "memory" }
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string; readonly schema: string | undefined; readonly replica: Replica | undefined }
  | { readonly kind: "redis"; readonly url: string; readonly prefix: string | undefined };

/** A read-only copy that may answer what was revoked, while it is at most that many milliseconds behind. */
interface Replica {
  readonly url: string;
  readonly maxLag: number | undefined;
}

/** Variables of the environment. */
export type Environment = { readonly [name: string]: string | undefined };

/** Reads `state` of the configuration. No complaint quotes an address: it may have a password. */
export function parseState(reader: Reader, folder: string, env: Environment): StateConfig {
  if (reader.value === "memory") return { kind: "memory" };
  if (typeof reader.value === "string") return reader.fail('must be `memory`, or an object with the `kind` "sqlite", "postgres" or "redis"');
  const kind = reader.at("kind").oneOf("sqlite", "postgres", "redis");
  const text = (member: string): string | undefined => (reader.at(member).isAbsent ? undefined : reader.at(member).text());
  if (kind === "sqlite") {
    reader.members(["kind", "path"]);
    const path = reader.at("path").text();
    return { kind, path: path.includes("\0") ? reader.at("path").fail("must be a path") : resolve(folder, path) };
  }
  if (kind === "postgres") {
    reader.members(["kind"], ["url", "url_env", "schema", "replica"]);
    return { kind, url: addressOf(reader, env, POSTGRES), schema: text("schema"), replica: parseReplica(reader.at("replica"), env) };
  }
  reader.members(["kind"], ["url", "url_env", "prefix"]);
  return { kind, url: addressOf(reader, env, ["redis:", "rediss:"]), prefix: text("prefix") };
}

const POSTGRES = ["postgres:", "postgresql:"];

function parseReplica(reader: Reader, env: Environment): Replica | undefined {
  if (reader.isAbsent) return undefined;
  const lag = reader.members([], ["url", "url_env", "max_lag_ms"]).at("max_lag_ms");
  // INVARIANT I7: a revocation is heard of within a second.
  if (!lag.isAbsent && !(lag.count() >= 1 && lag.count() <= 1000)) lag.fail("must be from 1 to 1000");
  return { url: addressOf(reader, env, POSTGRES), maxLag: lag.isAbsent ? undefined : lag.count() };
}

/** Text that stands in the file (`url`), or in an environment variable that the file names (`url_env`), and the place to complain of. */
export function fromEnvironment(reader: Reader, member: string, env: Environment): readonly [Reader, string] {
  const [given, variable] = [reader.at(member), reader.at(`${member}_env`)];
  if (given.isAbsent === variable.isAbsent) return reader.fail(`needs either \`${member}\` or \`${member}_env\``);
  const [place, text] = variable.isAbsent ? [given, given.text()] : [variable, Object.hasOwn(env, variable.text()) ? env[variable.text()] : undefined];
  return text === undefined || text === "" ? place.fail("names an environment variable that is not set") : [place, text];
}

function addressOf(reader: Reader, env: Environment, protocols: readonly string[]): string {
  const variable = reader.at("url_env");
  const [place, address] = fromEnvironment(reader, "url", env);
  const what = `a URL that begins with \`${protocols.map((protocol) => `${protocol}//`).join("` or `")}\``;
  if (!URL.canParse(address) || !protocols.includes(new URL(address).protocol))
    return place.fail(
      `must ${variable.isAbsent ? "be" : "name an environment variable with"} ${what}; in a password all but letters and digits is percent-encoded`,
    );
  return address;
}
