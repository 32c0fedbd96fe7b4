import { AmbitError, type EnvelopeSource, type Pep } from "@ambit/core";
import type { Answer, Request, Wire } from "./json-rpc.ts";
import type { Link } from "./link.ts";
import { DECIDED_SERVER_REQUESTS, PASSED_SERVER_REQUESTS } from "./methods.ts";
import { isHeld, type Open } from "./notifications.ts";
import { createRequests } from "./requests.ts";
import { decidedRequest, toQuestion } from "./to-call.ts";
import { denial, toOutcome } from "./to-outcome.ts";

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

export interface ServerRequestSetting {
  readonly pep: Pep;
  readonly server: string;
  readonly envelope: EnvelopeSource;
  readonly link: Link;
  /** What the client waits for. */
  readonly open: () => Iterable<Open>;
}

const HELD = "while the result of a call must be checked";

export function createServerRequests({ pep, server, envelope, link, open }: ServerRequestSetting): ServerRequests {
  const requests = createRequests();
  return {
    receive: async (request, extra) => {
      const entry = requests.begin(request, !PASSED_SERVER_REQUESTS.has(request.method));
      if (entry === undefined) return link.report(new Error("a second request under one id is left out"));
      if (!entry.isDecided) return link.deliver(request.wire, extra);
      // What must be checked in a result must not come before it in a question.
      const question = toQuestion(request, DECIDED_SERVER_REQUESTS, isHeld(open()) ? HELD : undefined);
      const admitted = await pep.admit({ ...question.call, envelope, server, signal: entry.over.signal });
      const { on, back } = await requests.conclude(entry, question, admitted, (admission) =>
        isHeld(open()) ? denial("tool_unmapped", `the request is refused: ${HELD}`, admission.decisionId) : decidedRequest(request, admission.arguments),
      );
      if (on !== undefined) return link.deliver(on, extra);
      if (back !== undefined) await link.post(back);
    },
    answer: async (answer) => {
      const entry = requests.answered(answer.id);
      if (entry === undefined) throw new AmbitError("option_invalid", "the response answers nothing that was asked");
      return entry.admission === undefined ? answer.wire : toOutcome(entry.request, entry.admission, answer);
    },
    cancel: requests.giveUp,
    giveUpAll: requests.giveUpAll,
  };
}
