import { isJsonObject, own, type Json, type JsonObject, type Refused } from "@ambit/core";
import { DECIDED_SERVER_REQUESTS, denial, toQuestion } from "@ambit/mcp/messages";
import type { Asker } from "./asker.ts";

const NONE: JsonObject = {};

/**
 * Decides what an upstream asks of the client in the middle of a call: sampling, elicitation and roots let it act in the delegator's name. Answers why one of it is refused. A client that
 * showed its envelope has an enforcement point of its own, which decides what it is asked; here it may be asked what there is to ask.
 */
export async function askedBack(asker: Asker, server: string, questions: JsonObject, signal: AbortSignal): Promise<Refused | undefined> {
  for (const [name, question] of Object.entries(questions)) {
    const asked = isJsonObject(question) ? question : NONE;
    const [method, params] = [own(asked, "method"), own(asked, "params") ?? NONE];
    const request = { kind: "request", id: name, method: typeof method === "string" ? method : "", params, wire: {} } as const;
    const { call, flaw } = toQuestion(request, DECIDED_SERVER_REQUESTS);
    if (!asker.isStanding) {
      if (flaw !== undefined) return denial("tool_unmapped", `the upstream asks for more, which is refused: ${flaw}`);
      continue;
    }
    const admitted = await asker.admit({ ...call, server, signal });
    if (!admitted.admitted) return admitted.refused;
    if (flaw !== undefined) {
      await admitted.cancel();
      return denial("tool_unmapped", `the upstream asks for more, which is refused: ${flaw}`, admitted.decisionId);
    }
    const { released, ...more } = await admitted.complete<Json>(NONE);
    if (!released) return (more as { readonly refused: Refused }).refused;
  }
  return undefined;
}
