import { AmbitError, type Admission, type EnvelopeSource, type Pep } from "@ambit/core";
import type { Answer, Request, RequestId, Wire } from "./json-rpc.ts";
import { DECIDED_SERVER_REQUESTS, PASSED_SERVER_REQUESTS } from "./methods.ts";
import { isHeld, type Open } from "./notifications.ts";
import { decidedRequest, toQuestion } from "./to-call.ts";
import { denial, refusedRequest, toOutcome } from "./to-outcome.ts";

/** What the server asks of the client: sampling, elicitation and roots let it act in the delegator's name. */
export interface ServerRequests {
  /** Decides a request; the client sees it only when it may answer it. */
  receive(request: Request, extra: unknown): Promise<void>;
  /** What goes out for the client's answer. Throws `option_invalid` where nothing was asked. */
  answer(answer: Answer): Promise<Wire>;
  /** The server takes a request back. */
  cancel(id: unknown): Promise<void>;
  giveUpAll(): Promise<void>;
}

interface Asked {
  readonly request: Request;
  readonly over: AbortController;
  isShown: boolean;
  admission?: Admission;
}

export interface ServerRequestSetting {
  readonly pep: Pep;
  readonly server: string;
  readonly envelope: EnvelopeSource;
  readonly post: (message: Wire) => Promise<void>;
  readonly deliver: (message: Wire, extra: unknown) => void;
  readonly report: (error: unknown) => void;
  /** What the client waits for. */
  readonly open: () => Iterable<Open>;
}

const HELD = "while the result of a call must be checked";

export function createServerRequests({ pep, server, envelope, post, deliver, report, open }: ServerRequestSetting): ServerRequests {
  const asked = new Map<RequestId, Asked>();

  const show = (entry: Asked, message: Wire, extra: unknown): void => {
    entry.isShown = true;
    deliver(message, extra);
  };
  const giveUp = async (entry: Asked): Promise<void> => {
    if (asked.get(entry.request.id) !== entry) return;
    asked.delete(entry.request.id);
    entry.over.abort();
    await entry.admission?.abandon();
  };

  const decide = async (entry: Asked, extra: unknown): Promise<void> => {
    const { request, over } = entry;
    // What must be checked in a result must not come before it in a question.
    const { call, flaw } = toQuestion(request, DECIDED_SERVER_REQUESTS, isHeld(open()) ? HELD : undefined);
    const admission = await pep.admit({ ...call, envelope, server, signal: over.signal });
    const isLate = asked.get(request.id) !== entry;
    if (admission.admitted && !isLate && flaw === undefined && !isHeld(open())) {
      entry.admission = admission;
      return show(entry, decidedRequest(request, admission.arguments), extra);
    }
    if (admission.admitted) await admission.cancel();
    if (isLate) return;
    asked.delete(request.id);
    const why = admission.admitted ? denial("tool_unmapped", `the request is refused: ${flaw ?? HELD}`, admission.decisionId) : admission.refused;
    await post(refusedRequest(request, why));
  };

  return {
    receive: async (request, extra) => {
      if (asked.has(request.id)) return report(new Error("a second request under one id is left out"));
      const entry: Asked = { request, over: new AbortController(), isShown: false };
      asked.set(request.id, entry);
      return PASSED_SERVER_REQUESTS.has(request.method) ? show(entry, request.wire, extra) : decide(entry, extra);
    },
    answer: async (answer) => {
      const entry = asked.get(answer.id);
      if (entry?.isShown !== true) throw new AmbitError("option_invalid", "the response answers nothing that was asked");
      asked.delete(answer.id);
      return entry.admission === undefined ? answer.wire : toOutcome(entry.request, entry.admission, answer);
    },
    cancel: async (id) => {
      const entry = asked.get(id as RequestId);
      if (entry !== undefined) await giveUp(entry);
    },
    giveUpAll: async () => void (await Promise.all([...asked.values()].map(giveUp))),
  };
}
