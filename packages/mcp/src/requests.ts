import { AmbitError, own, type Admission, type Pep, type Refused } from "@ambit/core";
import { paramsOf, type Notification, type Request, type RequestId, type Wire } from "./json-rpc.ts";
import type { Question } from "./to-call.ts";
import { denial, refused, refusedRequest } from "./to-outcome.ts";

/** A request on its way to its answer. */
export interface Entry {
  readonly request: Request;
  readonly isDecided: boolean;
  /** Aborted when the waiting is over, however it ends. */
  readonly over: AbortController;
  /** Of a decided request; it was not sent on without one. */
  admission?: Admission;
}

/** Requests in one direction that wait for their answers. */
export interface Requests {
  /** `undefined` for an id in use: with two requests under one id, the answer to the one would pass for the answer to the other. */
  begin(request: Request, isDecided: boolean): Entry | undefined;
  /**
   * Carries out what was said of a request: what goes on (`message`, unless that refuses it all the same), or the refusal that goes back. Neither when nobody waits for it any more; what was
   * admitted and does not go on is cancelled.
   */
  conclude(
    entry: Entry,
    question: Question,
    admitted: Awaited<ReturnType<Pep["admit"]>>,
    message: (admission: Admission) => Wire | Refused | Promise<Wire | Refused>,
  ): Promise<{ readonly on?: Wire; readonly back?: Wire }>;
  /** Whose answer this is; the waiting is over. `undefined` where nothing was asked. */
  answered(id: RequestId): Entry | undefined;
  /** The request that waits under this id. */
  find(id: unknown): Entry | undefined;
  /** A request that was sent and is waited for no more may have taken effect or not. */
  giveUp(entry: Entry | undefined): Promise<void>;
  giveUpAll(): Promise<void>;
  open(): Iterable<Entry>;
}

/** Given, so that none is made with a stack for each request: that would cost more than everything else here. */
const OVER = new AmbitError("call_aborted", "the request is over");

export function createRequests(): Requests {
  const waiting = new Map<RequestId, Entry>();

  /** Ends the waiting; false when it was over already. */
  const take = (entry: Entry): boolean => {
    if (waiting.get(entry.request.id) !== entry) return false;
    entry.over.abort(OVER);
    return waiting.delete(entry.request.id);
  };
  const giveUp = async (entry: Entry | undefined): Promise<void> => {
    if (entry !== undefined && take(entry)) await entry.admission?.abandon();
  };

  return {
    begin: (request, isDecided) => {
      if (waiting.has(request.id)) return undefined;
      const entry: Entry = { request, isDecided, over: new AbortController() };
      waiting.set(request.id, entry);
      return entry;
    },
    conclude: async (entry, { flaw }, admitted, message) => {
      const { request } = entry;
      const isPlain = admitted.admitted && flaw === undefined;
      const outcome = isPlain ? await message(admitted) : whyNot(flaw, admitted);
      if (isPlain && !isRefused(outcome) && waiting.get(request.id) === entry) {
        entry.admission = admitted;
        return { on: outcome };
      }
      const isWaitedFor = take(entry);
      if (admitted.admitted) await admitted.cancel();
      if (!isWaitedFor || !isRefused(outcome)) return {};
      // What the result of a flawed request would look like nobody can tell.
      return { back: flaw === undefined ? refused(request, outcome) : refusedRequest(request, outcome) };
    },
    answered: (id) => {
      const entry = waiting.get(id);
      // INVARIANT I1: an answer while the request is still being decided is a guess, and would end it without a decision.
      if (entry === undefined || (entry.isDecided && entry.admission === undefined)) return undefined;
      take(entry);
      return entry;
    },
    find: (id) => waiting.get(id as RequestId),
    giveUp,
    giveUpAll: async () => void (await Promise.all([...waiting.values()].map(giveUp))),
    open: () => waiting.values(),
  };
}

function whyNot(flaw: string | undefined, admitted: Awaited<ReturnType<Pep["admit"]>>): Refused {
  return admitted.admitted ? denial("tool_unmapped", `the request is refused: ${flaw}`, admitted.decisionId) : admitted.refused;
}

/** A message has no member of this name. */
function isRefused(outcome: Wire | Refused): outcome is Refused {
  return "kind" in outcome;
}

/** The request that a notification takes back, where it takes back one. */
export function cancelledBy(notification: Notification, requests: Requests): Entry | undefined {
  return notification.method === "notifications/cancelled" ? requests.find(own(paramsOf(notification), "requestId")) : undefined;
}
