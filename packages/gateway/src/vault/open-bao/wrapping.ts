import { own, type AmbitError, type JsonObject } from "@ambit/core";
import { unavailable } from "../unavailable.ts";
import { bodyOf, objectIn, type BaoQuestion, type BaoServer } from "./server.ts";

export interface UnwrapOptions {
  readonly server: BaoServer;
  /** Hears when somebody else may have opened it, which is something to look into and not only a call that fails. */
  readonly onProblem: (error: AmbitError) => void;
}

/**
 * What was handed over wrapped. A wrapping token opens once; before that it is looked up where it was made, because whoever had opened it on the way could have
 * wrapped something else and sent that on (https://openbao.org/docs/concepts/response-wrapping).
 */
export async function unwrap({ server, onProblem }: UnwrapOptions, token: string, createdAt: string, signal: AbortSignal): Promise<JsonObject> {
  const asked = async (question: BaoQuestion): Promise<JsonObject> => {
    const answer = await server.ask(question, signal);
    if (GONE.has(answer.status)) throw intercepted("it is not there any more");
    return bodyOf(answer);
  };
  const intercepted = (why: string): AmbitError => {
    const error = unavailable("a wrapped secret has expired, or somebody else has opened it", { hint: `${why}; look into the audit log of the server` });
    onProblem(error);
    return error;
  };
  const found = objectIn(await asked({ method: "POST", path: "sys/wrapping/lookup", body: { token } }), "data");
  if (own(found, "creation_path") !== createdAt) throw intercepted("it was made for something else");
  return asked({ method: "POST", path: "sys/wrapping/unwrap", token });
}

const GONE = new Set([400, 403, 404]);
