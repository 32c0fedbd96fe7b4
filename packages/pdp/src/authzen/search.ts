import { createHash } from "node:crypto";
import { canonicalJson, isJsonObject, type Json, type JsonObject } from "@ambit/core";
import type { Asker, Deed, Evaluator, Found, SearchPage, Thing } from "./evaluator.ts";
import { asObject, given, refuse, readContext, readDeed, readSought, readThing } from "./question.ts";

export type SearchKind = "subject" | "resource" | "action";

export interface SearchLimits {
  /** Results of a page. */
  readonly most: number;
}

/** Section 8. Throws what `reasonOf` knows. What an evaluator cannot look for is found nowhere; what it throws is thrown on. */
export async function search(kind: SearchKind, evaluator: Evaluator, json: Json | undefined, asker: Asker, { most }: SearchLimits): Promise<JsonObject> {
  const message = asObject(json);
  const { ask, query } = SEARCHES[kind](message);
  const page = readPage(message, digestOfQuery(kind, query), most);
  const found = (await ask(evaluator, page, asker)) ?? { results: [] };
  const { next } = found;
  const token = next === undefined ? "" : writeToken({ after: next, query: page.query, limit: page.asked });
  return {
    page: { next_token: token, count: found.results.length },
    results: found.results.map((result): JsonObject => ("name" in result ? { name: result.name } : { type: result.type, id: result.id })),
  };
}

interface Search {
  /** What must be the same from page to page. */
  readonly query: JsonObject;
  readonly ask: (evaluator: Evaluator, page: SearchPage, asker: Asker) => Promise<Found<Thing | Deed> | undefined>;
}

const SEARCHES: { readonly [kind in SearchKind]: (message: JsonObject) => Search } = {
  subject: (message) => {
    const query = {
      subject: readSought(message, "subject"),
      action: readDeed(message),
      resource: readThing(message, "resource"),
      context: readContext(message),
    };
    return { query: query as unknown as JsonObject, ask: async (evaluator, page, asker) => evaluator.searchSubjects?.(query, page, asker) };
  },
  resource: (message) => {
    const query = {
      subject: readThing(message, "subject"),
      action: readDeed(message),
      resource: readSought(message, "resource"),
      context: readContext(message),
    };
    return { query: query as unknown as JsonObject, ask: async (evaluator, page, asker) => evaluator.searchResources?.(query, page, asker) };
  },
  action: (message) => {
    const query = { subject: readThing(message, "subject"), resource: readThing(message, "resource"), context: readContext(message) };
    return { query: query as unknown as JsonObject, ask: async (evaluator, page, asker) => evaluator.searchActions?.(query, page, asker) };
  },
};

type AskedPage = SearchPage & { readonly query: string; /** As it was asked for with the first page. */ readonly asked: number | null };

/** Section 8.2: on a later page everything is as on the first, or it is not said again. */
function readPage(message: JsonObject, query: string, most: number): AskedPage {
  const page = given(message, "page") ?? {};
  if (!isJsonObject(page)) return refuse("`page` is not an object");
  const [text, limit] = [given(page, "token"), given(page, "limit")];
  if (limit !== undefined && !(Number.isSafeInteger(limit) && (limit as number) >= 0)) return refuse("`page.limit` is not a whole number of at least 0");
  if (text !== undefined && typeof text !== "string") return refuse("`page.token` is not text");
  const token = text === undefined || text === "" ? undefined : readToken(text);
  if (token !== undefined && (token.query !== query || (limit !== undefined && limit !== token.limit)))
    return refuse("the search is not the one that the token is of");
  const asked = token === undefined ? ((limit as number | undefined) ?? null) : token.limit;
  return { query, asked, after: token?.after, limit: Math.min(asked ?? most, most) };
}

function digestOfQuery(kind: SearchKind, query: JsonObject): string {
  return createHash("sha256").update(canonicalJson({ kind, query })).digest("base64url");
}

/** Says where to go on, and nothing that anybody is let in by: whoever forges one skips results. So it needs no memory, and any replica takes it. */
interface PageToken {
  readonly after: string;
  readonly query: string;
  readonly limit: number | null;
}

function writeToken({ after, query, limit }: PageToken): string {
  return Buffer.from(JSON.stringify([after, query, limit])).toString("base64url");
}

function readToken(text: string): PageToken {
  const [after, query, limit, ...more] = partsOf(text);
  const isToken = typeof after === "string" && typeof query === "string" && (limit === null || Number.isSafeInteger(limit)) && more.length === 0;
  if (!isToken) return refuse("`page.token` is not one that was given out");
  return { after, query, limit: limit as number | null };
}

function partsOf(text: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    return Array.isArray(parts) ? (parts as readonly unknown[]) : [];
  } catch {
    return [];
  }
}
