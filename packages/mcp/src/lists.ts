import { AmbitError, isJsonObject, own, type EnvelopeSource, type Json, type JsonObject, type Pep, type RefusalCode } from "@ambit/core";
import type { Answer, Request, Wire } from "./json-rpc.ts";
import { isNameOfMethod, type ListRule } from "./methods.ts";
import { denial, forOnce, refusedRequest } from "./to-outcome.ts";

/**
 * Of the answer to a list, what the envelope could use; where that cannot be told, a refusal. It is one envelope's list from here on.
 */
export async function shownList(
  pep: Pep,
  { server, envelope }: { readonly server: string; readonly envelope: EnvelopeSource },
  request: Request,
  { member, method }: ListRule,
  answer: Answer,
): Promise<Wire> {
  const result = isJsonObject(answer.value as Json) ? (answer.value as JsonObject) : {};
  const given = own(result, member);
  const elements = Array.isArray(given) ? (given as readonly Json[]) : [];
  try {
    const allowed = await pep.offers(envelope, method === undefined ? namesIn(elements) : [method], server);
    const shown = elements.filter((element) => {
      const name = method ?? nameOf(element);
      return name !== undefined && allowed.has(name) && (method !== undefined || !isNameOfMethod(name));
    });
    return { ...answer.wire, result: forOnce(request, { ...result, [member]: shown }) };
  } catch (error) {
    const code = AmbitError.isInstance(error) ? (error.code as RefusalCode) : "pdp_unavailable";
    return refusedRequest(request, denial(code, "what there is to use cannot be told now"));
  }
}

/** The names of the elements that have one. */
export function namesIn(elements: readonly Json[]): readonly string[] {
  return elements.flatMap((element) => nameOf(element) ?? []);
}

function nameOf(element: Json): string | undefined {
  const name = isJsonObject(element) ? own(element, "name") : undefined;
  return typeof name === "string" ? name : undefined;
}
