import { readFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { AmbitError, isIdentifier, type ConfigCode, type Json } from "@ambit/core";
import type { ProofVerifier } from "@ambit/core/identity";
import type { PolicyFile } from "../cedar/policies.ts";
import { parseApprovals, type ApprovalConfig } from "./approvals.ts";
import { readAnchors, type AnchorSource } from "./anchors.ts";
import { parseIdentity } from "./identity.ts";
import { Reader } from "./reader.ts";
import { parseSigning, type LoadedSigning } from "./signing.ts";
import { parseState, type Environment, type StateConfig, type StatePart } from "./state.ts";

/** A part of the configuration: a path relative to `ambit.config.json`, or its content. */
export type Part = string | object;

/** `ambit.config.json`, as a person writes it. */
export interface PdpConfig {
  readonly manifest: Part;
  readonly agents: Part;
  readonly purposes: Part;
  /** Paths of Cedar files, or their content as `{ name, text }`. None: every call is denied (`no_policy`). */
  readonly policies: readonly (string | PolicyFile)[];
  /** Further resource constraint keys, with their kinds. */
  readonly vocabulary?: { readonly [key: string]: string };
  /** Where decisions are written: a path, or `memory`, which ends with the process. */
  readonly log: string;
  /** Where budgets, revocations and approvals are kept: in this process, a file, or a server that processes share. */
  readonly state: StatePart;
  /** Who is asked for what, or `none`: a call that needs an approval is refused. */
  readonly approvals: "none" | object;
  /** What roots of signed envelopes are signed with; `key` is a private JWK or the path of one. */
  readonly signing?: { readonly issuer: string; readonly key: Part; readonly tenants: readonly string[] };
  /** Whose roots are taken besides our own: a list of anchors, or its path. An anchor has a `jwk`, or the `https:` address of its `jwks`. */
  readonly anchors?: string | readonly object[];
  /** The names of this decision point in `aud`; needed with `signing` and `anchors`. */
  readonly audience?: readonly string[];
  /** Whose tokens are proof of a delegator. */
  readonly identity?: Part;
  /** What is known of users: their roles and attributes, and which claims say so. */
  readonly users?: Part;
  /** Which relations there are between users, agents and things. */
  readonly relations?: Part;
}

/** The configuration with every file read. */
export interface LoadedConfig {
  readonly manifest: Source;
  readonly agents: Source;
  readonly purposes: Source;
  readonly policies: readonly PolicyFile[];
  readonly users: Source | undefined;
  readonly relations: Source | undefined;
  readonly vocabulary: Json | undefined;
  readonly signing: LoadedSigning | undefined;
  readonly anchors: AnchorSource | undefined;
  readonly approvals: ApprovalConfig | undefined;
  readonly identity: ProofVerifier | undefined;
  readonly audience: readonly string[];
  /** An absolute path, or `memory`. */
  readonly log: string;
  readonly state: StateConfig;
}

export interface Source {
  readonly name: string;
  readonly data: unknown;
}

/**
 * Reads a configuration and the files it names. Refuses (`config_invalid`, `manifest_invalid`, `policy_invalid`) what is missing or not JSON,
 * with the file and the place.
 */
export async function loadConfig(config: string | URL | PdpConfig, now: () => number): Promise<LoadedConfig> {
  const { reader, folder } = await open(config);
  reader.members(
    ["manifest", "agents", "purposes", "policies", "log", "state", "approvals"],
    ["vocabulary", "signing", "anchors", "audience", "identity", "users", "relations"],
  );
  const state = parseState(reader.at("state"), folder, process.env);
  const log = reader.at("log").text();
  return {
    manifest: await loadPart(reader.at("manifest"), folder, "the manifest", "manifest_invalid"),
    agents: await loadPart(reader.at("agents"), folder, "the agents", "config_invalid"),
    purposes: await loadPart(reader.at("purposes"), folder, "the purposes", "config_invalid"),
    policies: await Promise.all(
      reader
        .at("policies")
        .elements()
        .map((element) => loadPolicyFile(element, folder)),
    ),
    users: await loadOptional(reader.at("users"), folder, "the users"),
    relations: await loadOptional(reader.at("relations"), folder, "the relations"),
    ...(await loadTrust(reader, folder, now)),
    vocabulary: reader.at("vocabulary").isAbsent ? undefined : reader.at("vocabulary").value,
    log: log === "memory" ? log : resolve(folder, log),
    state,
  };
}

/** Reads `state` of a configuration, and nothing else of it. */
export async function loadStateConfig(config: string | URL | PdpConfig, env: Environment): Promise<StateConfig> {
  const { reader, folder } = await open(config);
  return parseState(reader.at("state"), folder, env);
}

async function open(config: string | URL | PdpConfig): Promise<{ readonly reader: Reader; readonly folder: string }> {
  const isFile = typeof config === "string" || config instanceof URL;
  const path = isFile ? resolve(config instanceof URL ? fileURLToPath(config) : config) : undefined;
  const name = path === undefined ? "the configuration" : shown(path);
  const reader = new Reader("config_invalid", name, path === undefined ? config : await readJson(path, "config_invalid"));
  return { reader, folder: path === undefined ? process.cwd() : dirname(path) };
}

async function loadTrust(
  reader: Reader,
  folder: string,
  now: () => number,
): Promise<Pick<LoadedConfig, "signing" | "anchors" | "audience" | "identity" | "approvals">> {
  const [signing, anchors, audience, identity] = [reader.at("signing"), reader.at("anchors"), reader.at("audience"), reader.at("identity")];
  const read = async (part: Reader, name: string, isSecret = false): Promise<Reader> => {
    if (typeof part.value !== "string") return part;
    const path = resolve(folder, part.text());
    return new Reader("config_invalid", `${name} ${shown(path)}`, await readJson(path, "config_invalid", isSecret));
  };
  const approvals = reader.at("approvals");
  return {
    approvals: approvals.value === "none" ? undefined : await parseApprovals(approvals, read, process.env),
    signing: signing.isAbsent ? undefined : await parseSigning(signing, await read(signing.at("key"), "the signing key", true)),
    anchors: anchors.isAbsent ? undefined : readAnchors(await read(anchors, "the anchors"), now),
    audience: audience.isAbsent ? [] : audience.texts(isIdentifier, "a name of visible ASCII"),
    identity: identity.isAbsent ? undefined : parseIdentity(await read(identity, "the identity providers"), now),
  };
}

async function loadOptional(reader: Reader, folder: string, name: string): Promise<Source | undefined> {
  return reader.isAbsent ? undefined : loadPart(reader, folder, name, "config_invalid");
}

async function loadPart(reader: Reader, folder: string, name: string, code: ConfigCode): Promise<Source> {
  if (typeof reader.value !== "string") return { name, data: reader.object() };
  const path = resolve(folder, reader.text());
  return { name: shown(path), data: await readJson(path, code) };
}

async function loadPolicyFile(reader: Reader, folder: string): Promise<PolicyFile> {
  if (typeof reader.value !== "string") {
    reader.members(["name", "text"]);
    const text = reader.at("text").value;
    return { name: reader.at("name").text(), text: typeof text === "string" ? text : reader.at("text").fail("must be text") };
  }
  const path = resolve(folder, reader.text());
  return { name: shown(path), text: await readText(path, "policy_invalid") };
}

/** The parser's message quotes what it could not read, so of a secret nothing of it is told. */
async function readJson(path: string, code: ConfigCode, isSecret = false): Promise<unknown> {
  const text = await readText(path, code);
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (isSecret) throw new AmbitError(code, `${shown(path)} is not JSON`);
    throw new AmbitError(code, `${shown(path)} is not JSON: ${cause instanceof Error ? cause.message : ""}`, { cause });
  }
}

async function readText(path: string, code: ConfigCode): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new AmbitError(code, `${shown(path)} cannot be read; \`ambit init\` writes a first one`, { cause });
  }
}

/** A path as a person would type it. */
function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short === "" || short[0] === "." ? path : short;
}
