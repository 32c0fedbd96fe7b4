import { copyData, type JsonObject } from "@ambit/core";
import type { Manifest } from "../manifest/manifest.ts";

/** What terms are made of, listed: for whoever tells them to another process. */
export interface Catalogue {
  /** The purpose catalogue as it was configured; the digest of the tree is its digest. */
  readonly purposes: JsonObject;
  readonly tools: readonly { readonly id: string; readonly names: readonly { readonly name: string; readonly server?: string; readonly pin: string }[] }[];
}

export function catalogueOf(purposes: unknown, manifest: Manifest): Catalogue {
  const tools = [...manifest.tools.values()].map(({ id, names }) => ({
    id,
    names: names.map(({ name, server, pin }) => ({ name, ...(server === undefined ? {} : { server }), pin })),
  }));
  return Object.freeze({ purposes: copyData(purposes, "config_invalid", "the purposes") as JsonObject, tools });
}
