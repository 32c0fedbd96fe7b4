import { createVocabulary, type Order } from "@ambit/core";
import { parsePurposes, type Purposes } from "@ambit/pdp";
import { dirname, isAbsolute, join } from "node:path";
import { fileError, usageError } from "../cli-error.ts";
import type { Inputs } from "./inputs.ts";

/** What envelopes are compared by, with the whole catalogue. */
export interface ConfiguredOrder extends Order {
  readonly purposes: Purposes;
}

const MOST_BYTES = 8_388_608;

/**
 * The vocabulary and the purposes of a configuration. There is no default: an envelope pins the digests of both, so that a guess would compare it by what
 * its issuer never meant.
 */
export async function readOrder(inputs: Inputs, path: string | undefined): Promise<ConfiguredOrder> {
  if (path === undefined)
    throw usageError("`--config` is needed: envelopes pin the vocabulary and the purposes that they are compared by, as `ambit.config.json` names them");
  const config = await inputs.json(path, { mostBytes: MOST_BYTES });
  if (typeof config !== "object" || config === null || !Object.hasOwn(config, "purposes"))
    throw fileError("malformed", `\`${path}\` is no \`ambit.config.json\`: it names no \`purposes\``);
  const { purposes, vocabulary } = config as { readonly purposes: unknown; readonly vocabulary?: unknown };
  if (typeof purposes !== "string") return { vocabulary: createVocabulary(vocabulary), purposes: parsePurposes(purposes, path) };
  // As the decision point does: paths are relative to the configuration.
  const file = isAbsolute(purposes) ? purposes : join(dirname(path), purposes);
  return { vocabulary: createVocabulary(vocabulary), purposes: parsePurposes(await inputs.json(file, { mostBytes: MOST_BYTES }), file) };
}
