import { copyData, isJsonObject, own, type Json } from "../data/json.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { malformed, parseRefusal, text } from "./decision.ts";
import type { IssueAnswer, Issued } from "./pdp.ts";
import type { Holding } from "./presentation.ts";

/**
 * Reads the answer to `begin` or `handOff`. Refuses (`pdp_response_invalid`) everything but a refusal and an envelope with
 * what it takes to act under it.
 */
export function parseIssueAnswer(answer: unknown): IssueAnswer {
  const data = copyData(answer, "pdp_response_invalid", "the decision point's answer");
  if (!isJsonObject(data)) return malformed("is not an object");
  const decision = own(data, "decision");
  if (typeof decision !== "boolean") return malformed("has no boolean `decision`");
  const id = text(data, "id");
  return decision ? { decision, id, issued: parseIssued(own(data, "issued")) } : { decision, id, refusal: parseRefusal(own(data, "refusal")) };
}

function parseIssued(data: Json | undefined): Issued {
  const envelope = isJsonObject(data) ? own(data, "envelope") : undefined;
  const depth = isJsonObject(data) ? own(data, "depth") : undefined;
  if (!isJsonObject(data) || !isJsonObject(envelope)) return malformed("permits without an envelope");
  if (!Number.isSafeInteger(depth) || (depth as number) < 0) malformed("has an envelope without a depth");
  for (const member of ["delegatorId", "tenantId", "sessionId", "taskId", "purpose", "agentId"]) text(envelope, member);
  if (!Array.isArray(own(envelope, "allowedTools"))) malformed("has an envelope without tools");
  return Object.freeze({
    envelopeId: text(data, "envelopeId"),
    lineage: text(data, "lineage"),
    depth: depth as number,
    envelope: envelope as unknown as Envelope,
    holding: parseHolding(own(data, "holding")),
  });
}

function parseHolding(data: Json | undefined): Holding {
  if (!isJsonObject(data)) return malformed("permits without an envelope to show");
  const kind = own(data, "kind");
  if (kind === "handle") return Object.freeze({ kind, handle: text(data, "handle") });
  const chain = own(data, "chain");
  if (kind !== "chain" || !Array.isArray(chain) || chain.length === 0 || !chain.every((token) => typeof token === "string"))
    return malformed("has an envelope of an unknown kind");
  return Object.freeze({ kind, chain: Object.freeze([...(chain as readonly string[])]) });
}
