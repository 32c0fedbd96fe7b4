import { AmbitError } from "@ambit/core";
import type { Inputs } from "./inputs.ts";

/** A chain of tokens as somebody has it in a file. */
export interface Chain {
  readonly tokens: readonly string[];
  /** The proof beside it, when the file is a presentation. */
  readonly pop: string | undefined;
}

/** The longest chain that any verifier can be told to take. */
const MOST_TOKENS = 65;

/**
 * Reads `{"aat_chain": […], "aat_pop"?}`, a JSON list of tokens, or tokens with white space between them. Refuses, with the reason as text, everything
 * else. The tokens may be anything.
 */
export function parseChain(text: string): Chain | string {
  const trimmed = text.trim();
  const isJson = trimmed[0] === "{" || trimmed[0] === "[";
  if (!isJson && !/^[A-Za-z0-9_.\s-]+$/.test(trimmed)) return "it is neither JSON with `aat_chain` nor tokens";
  const raw = isJson ? tryParse(trimmed) : trimmed.split(/\s+/);
  const isObject = typeof raw === "object" && raw !== null && !Array.isArray(raw);
  const chain: unknown = isObject ? ownOf(raw, "aat_chain") : raw;
  const pop: unknown = isObject ? ownOf(raw, "aat_pop") : undefined;
  if (!Array.isArray(chain) || !chain.every((token) => typeof token === "string")) return "it has no list of tokens, `aat_chain`";
  if (pop !== undefined && typeof pop !== "string") return "`aat_pop` is not a token";
  if (chain.length === 0) return "the chain is empty";
  if (chain.length > MOST_TOKENS) return `the chain has more than ${MOST_TOKENS} tokens`;
  return { tokens: chain as readonly string[], pop };
}

/** The chain of a file. Throws `envelope_malformed` when there is none in it. */
export async function readChain(inputs: Inputs, path: string): Promise<Chain> {
  const chain = parseChain(await inputs.text(path));
  if (typeof chain === "string") throw new AmbitError("envelope_malformed", `no chain: ${chain}`);
  return chain;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // no JSON, so no chain
  }
}

function ownOf(object: object, member: string): unknown {
  return Object.hasOwn(object, member) ? (object as Readonly<Record<string, unknown>>)[member] : undefined;
}
