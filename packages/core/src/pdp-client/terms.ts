import { digestOf } from "../data/digest.ts";
import { isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";
import { createVocabulary } from "../envelope/vocabulary.ts";
import type { PurposeTree } from "../envelope/purposes.ts";
import { malformed } from "../pdp/decision.ts";
import { PDP_CAPABILITY } from "../pdp/pdp.ts";
import type { Terms } from "../pdp/terms.ts";
import type { Ask } from "./asker.ts";
import { TERMS_PATH } from "./wire/endpoints.ts";
import { readShape } from "./wire/shape.ts";
import { termsAnswer, type NamedTool } from "./wire/terms.ts";

/** The terms of a service, asked for when they are old. */
export interface TermsSource {
  /** Those that were read last, where they are fresh. */
  readonly fresh: () => Terms | undefined;
  /** Asks for them. Rejects when they cannot be had; old ones do not count. */
  readonly read: (ask: Ask) => Promise<Terms>;
  /** A call was refused as if they had changed. */
  readonly expire: () => void;
}

export function createTermsSource(url: string, lifetime: number, now: () => number): TermsSource {
  let known: { readonly terms: Terms; readonly etag: string | undefined } | undefined;
  let readAt = Number.NaN;
  return Object.freeze<TermsSource>({
    fresh: () => {
      const age = now() - readAt;
      return age >= 0 && age < lifetime ? known?.terms : undefined;
    },
    read: async (ask) => {
      const etag = known?.etag;
      const startedAt = now();
      const answer = await ask({ method: "GET", path: TERMS_PATH, headers: etag === undefined ? {} : { "if-none-match": etag } }, "always");
      if (answer.kind === "problem") return malformed("is none to the question for its terms");
      if (answer.kind === "answered") known = { terms: readTerms(answer.json, url), etag: answer.etag };
      else if (known === undefined || etag === undefined) malformed("says that nothing has changed, and nothing was there");
      readAt = startedAt;
      return (known as { readonly terms: Terms }).terms;
    },
    expire: () => (readAt = Number.NaN),
  });
}

/** Refuses (`pdp_response_invalid`) the terms of another service (mix-up), and digests that are not of what they stand for. */
function readTerms(json: Json, url: string): Terms {
  const read = readShape(termsAnswer, json);
  if ("problem" in read) return malformed(read.problem);
  const { policyDecisionPoint, capability, audience, vocabulary, purposes, tools } = read.message;
  if (policyDecisionPoint !== url) malformed("is that of another decision point than the one that was asked");
  if (capability !== PDP_CAPABILITY) malformed("is that of a decision point that does not do what is asked of it");
  const kinds = tryVocabulary(vocabulary.kinds);
  if (kinds.digest !== vocabulary.digest) malformed("has a vocabulary that is not the one of its digest");
  if (digestOf(purposes.catalogue) !== purposes.digest) malformed("has a purpose catalogue that is not the one of its digest");
  const named = resolverOf(tools);
  return Object.freeze<Terms>({
    order: { vocabulary: kinds, purposes: treeOf(purposes.catalogue, purposes.digest) },
    audience,
    toolId: (name, server) => named(name, server)?.id,
    pinOf: (name, server) => named(name, server)?.pin,
  });
}

function tryVocabulary(kinds: JsonObject): ReturnType<typeof createVocabulary> {
  try {
    return createVocabulary(kinds);
  } catch {
    return malformed("has a vocabulary that is none");
  }
}

/** The tree of `{ "purposes": { "review": { "parent": … } } }`; the other members are the service's own business. */
function treeOf(catalogue: JsonObject, digest: string): PurposeTree {
  const purposes = own(catalogue, "purposes");
  if (!isJsonObject(purposes)) return malformed("has no purpose catalogue");
  const parents = new Map<string, string | null>();
  for (const [id, purpose] of Object.entries(purposes)) {
    const parent = isJsonObject(purpose) ? (own(purpose, "parent") ?? null) : undefined;
    parents.set(id, typeof parent === "string" || parent === null ? parent : malformed("has a purpose without a place in the tree"));
  }
  return Object.freeze({ parentOf: (purpose: string) => parents.get(purpose), digest });
}

interface Resolved {
  readonly id: string;
  readonly pin: string;
}

/** INVARIANT I14: exact. A name that two tools go by names neither. */
function resolverOf(tools: readonly NamedTool[]): (name: string, server: string | undefined) => Resolved | undefined {
  const byServer = new Map<string | undefined, Map<string, Resolved>>();
  for (const { id, names } of tools) {
    for (const { name, server, pin } of names) {
      const known = byServer.get(server) ?? new Map<string, Resolved>();
      if (known.has(name)) malformed("has two tools of one name");
      byServer.set(server, known.set(name, { id, pin }));
    }
  }
  return (name, server) => byServer.get(server)?.get(name);
}
