import type { IssueAnswer, Presentation, Refusal } from "@ambit/core";
import { AmbitError, serializeEnvelope } from "@ambit/core";
import { ENDPOINTS, readShape, type Done, type Endpoint, type IssueOnWire, type Shown } from "@ambit/core/pdp-client";
import { mayActFor, type Role } from "./callers.ts";
import type { DecidedKind, Metrics } from "./metrics.ts";
import { requestProblem } from "./problem.ts";
import type { Route, RouteCall } from "./route.ts";
import type { SeenChains } from "./seen-chains.ts";
import type { ServedPdp } from "./served-pdp.ts";
import { termsRoute } from "./terms-route.ts";

type Caller = NonNullable<RouteCall["caller"]>;

/** What an enforcement point asks of its decision point, and what an operator does. */
export function ambitRoutes(pdp: ServedPdp, url: string, chains: SeenChains, metrics: Metrics): readonly Route[] {
  /** Runs a question whose refusal the port throws. */
  const done = async (kind: DecidedKind, run: () => Promise<unknown>): Promise<Done> => {
    const refusal = await run().then(
      () => undefined,
      (error: unknown) => refusalIn(error),
    );
    metrics.decided(kind, refusal === undefined, refusal?.code);
    return refusal === undefined ? { done: true } : { done: false, refusal };
  };
  const told = (kind: DecidedKind, answer: IssueAnswer): IssueAnswer => {
    metrics.decided(kind, answer.decision, answer.decision ? undefined : answer.refusal.code);
    if (answer.decision && answer.issued.holding.kind === "chain") chains.note(answer.issued.holding.chain);
    return answer;
  };
  /** A chain that was shown whole, and turned out to be one. */
  const verified = (shown: Shown): void => {
    if (shown.chain !== undefined) chains.note(shown.chain);
  };

  /** INVARIANT I12: a caller asks for the tenants that it was let in for, whoever's chain it shows. What is no chain of ours is refused by who decides. */
  const ownTenant = async (shown: { readonly chain?: readonly string[] } | Presentation, caller: Caller): Promise<void> => {
    const chain = "chain" in shown ? shown.chain : undefined;
    if (chain === undefined || caller.tenants === "any") return;
    const tenantId = await pdp.tenantOf(chain);
    if (tenantId !== undefined && !mayActFor(caller, tenantId)) throw requestProblem("forbidden", "the caller may not act for this tenant");
  };

  return [
    termsRoute(pdp, url),
    route(ENDPOINTS.begin, "enforce", async ({ continues, ...question }, caller) => {
      const given = continues === undefined ? {} : { continues: chains.whole(continues) };
      if (!mayActFor(caller, question.envelope["tenant_id"])) return issueOnWire(outside(), true);
      // Without its delegator's proof, and without the word of somebody who may give it: refused, and on the record, by whoever decides.
      const asserted = question.assertedBy === "app" && !caller.roles.has("assert") ? ({ assertedBy: "proof" } as const) : {};
      return issueOnWire(told("begin", await pdp.begin({ ...question, ...given, ...asserted, caller: caller.name })), true);
    }),
    route(ENDPOINTS.introduce, "enforce", async (question, caller) => {
      await ownTenant(question, caller);
      return issueOnWire(told("introduce", await pdp.introduce(question)), false);
    }),
    route(ENDPOINTS.decide, "enforce", async ({ context, ...question }, caller) => {
      const presentation = chains.whole(context.presentation);
      await ownTenant(presentation, caller);
      const decision = await pdp.decide({ ...question, context: { ...context, presentation } });
      const { refusal } = decision.context;
      metrics.decided("decide", decision.decision, refusal?.code);
      // What comes after the first step has passed it.
      if (decision.decision || (refusal?.step !== undefined && refusal.step !== "envelope" && refusal.step !== "call")) verified(context.presentation);
      return decision;
    }),
    route(ENDPOINTS.redeem, "enforce", async ({ presentation, ...question }, caller) => {
      const shown = chains.whole(presentation);
      await ownTenant(shown, caller);
      const answer = await pdp.redeem({ ...question, presentation: shown });
      metrics.decided("redeem", answer.redeemed, answer.redeemed ? undefined : answer.refusal.code);
      if (answer.redeemed) verified(presentation);
      return answer.redeemed ? { done: true, receipt: answer.receipt } : { done: false, refusal: answer.refusal };
    }),
    route(ENDPOINTS.settle, "enforce", async ({ presentation, ...outcome }, caller) => {
      const shown = chains.whole(presentation);
      await ownTenant(shown, caller);
      return done("settle", () => pdp.settle({ ...outcome, presentation: shown }));
    }),
    route(ENDPOINTS.end, "enforce", async ({ presentation, ...question }, caller) => {
      const shown = chains.whole(presentation);
      await ownTenant(shown, caller);
      return done("end", () => pdp.end({ ...question, presentation: shown }));
    }),
    route(ENDPOINTS.revoke, "operate", async (revocation, caller) => {
      if (!mayActFor(caller, revocation.tenantId)) throw requestProblem("forbidden", "the caller may not act for this tenant");
      try {
        await pdp.revoke({ ...revocation, by: caller.name });
      } catch (error) {
        if (AmbitError.isInstance(error) && error.code === "option_invalid") throw requestProblem("request_malformed", error.summary);
        throw requestProblem("unavailable", "the revocation could not be completed; ask again");
      }
      return { done: true };
    }),
  ];
}

function route<Q, A>({ path, question, answer }: Endpoint<Q, A>, role: Role, ask: (question: Q, caller: Caller) => Promise<A>): Route {
  return {
    method: "POST",
    path,
    role,
    handle: async ({ json, caller }) => {
      const read = readShape(question, json ?? null);
      if ("problem" in read) throw requestProblem("request_malformed", read.problem);
      return { json: answer.write(await ask(read.message, caller as Caller)) };
    },
  };
}

function issueOnWire(answer: IssueAnswer, isChainNew: boolean): IssueOnWire {
  const { decision, id } = answer;
  if (!decision) return { decision, id, refusal: answer.refusal };
  const { envelopeId, lineage, depth, envelope, holding } = answer.issued;
  const chain = isChainNew && holding.kind === "chain" ? { chain: holding.chain } : {};
  return { decision, id, issued: { envelopeId, lineage, depth, envelope: serializeEnvelope(envelope), ...chain } };
}

/** INVARIANT I12. */
function outside(): IssueAnswer {
  return {
    decision: false,
    id: "undecided",
    refusal: { code: "tenant_mismatch", message: "the caller may not begin tasks of this tenant", step: "envelope", retryable: false },
  };
}

/** What the decision point threw as a refusal; anything else is thrown on. */
function refusalIn(error: unknown): Refusal {
  const refusal: unknown =
    typeof error === "object" && error !== null && Object.hasOwn(error, "refusal") ? (error as { readonly refusal: unknown }).refusal : undefined;
  if (typeof refusal === "object" && refusal !== null) return refusal as Refusal;
  throw error;
}
