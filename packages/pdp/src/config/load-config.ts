import { readFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { AmbitError, type ConfigCode, type Json } from "@ambit/core";
import type { PolicyFile } from "../cedar/policies.ts";
import { Reader } from "./reader.ts";

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
  readonly state: "memory";
  readonly approvals: "none";
}

/** The configuration with every file read. */
export interface LoadedConfig {
  readonly manifest: Source;
  readonly agents: Source;
  readonly purposes: Source;
  readonly policies: readonly PolicyFile[];
  readonly vocabulary: Json | undefined;
  /** An absolute path, or `memory`. */
  readonly log: string;
}

export interface Source {
  readonly name: string;
  readonly data: unknown;
}

/**
 * Reads a configuration and the files it names. Refuses (`config_invalid`, `manifest_invalid`, `policy_invalid`) what is missing or not JSON,
 * with the file and the place.
 */
export async function loadConfig(config: string | URL | PdpConfig): Promise<LoadedConfig> {
  const isFile = typeof config === "string" || config instanceof URL;
  const path = isFile ? resolve(config instanceof URL ? fileURLToPath(config) : config) : undefined;
  const folder = path === undefined ? process.cwd() : dirname(path);
  const name = path === undefined ? "the configuration" : shown(path);
  const reader = new Reader("config_invalid", name, path === undefined ? config : await readJson(path, "config_invalid"));
  reader.members(["manifest", "agents", "purposes", "policies", "log", "state", "approvals"], ["vocabulary"]);
  reader.at("state").oneOf("memory");
  reader.at("approvals").oneOf("none");
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
    vocabulary: reader.at("vocabulary").isAbsent ? undefined : reader.at("vocabulary").value,
    log: log === "memory" ? log : resolve(folder, log),
  };
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

async function readJson(path: string, code: ConfigCode): Promise<unknown> {
  const text = await readText(path, code);
  try {
    return JSON.parse(text);
  } catch (cause) {
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
