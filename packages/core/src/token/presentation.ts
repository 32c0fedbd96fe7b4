import { isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";
import { refused, type Refused } from "./reason.ts";

/** What a holder sends for one call (draft section 7.4): the chain from root to leaf, and the proof for this very call. */
export interface TokenPresentation {
  readonly chain: readonly string[];
  readonly pop: string;
}

/** The JSON object of a presentation, for a message body or protocol metadata; a chain is too long for a header. */
export function writePresentation(presentation: TokenPresentation): JsonObject {
  return { aat_chain: presentation.chain, aat_pop: presentation.pop };
}

/** Reads the JSON object of a presentation; members that it does not know are ignored. Refuses anything that is not a list of texts and a text. */
export function readPresentation(json: unknown): Refused | { readonly verified: true; readonly presentation: TokenPresentation } {
  const no = (reason: string): Refused => refused("envelope_malformed", "1", undefined, reason);
  if (!isJsonObject(json as Json)) return no("the presentation is not an object");
  const [chain, pop] = [own(json as JsonObject, "aat_chain"), own(json as JsonObject, "aat_pop")];
  if (!Array.isArray(chain) || !chain.every((token) => typeof token === "string")) return no("`aat_chain` is not a list of tokens");
  if (typeof pop !== "string") return no("`aat_pop` is not a token");
  return { verified: true, presentation: { chain: [...(chain as readonly string[])], pop } };
}
