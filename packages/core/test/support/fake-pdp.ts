import type { Decision, Grant, Refusal } from "../../src/pdp/decision.ts";
import type { Obligation } from "../../src/pdp/obligation.ts";
import { PDP_CAPABILITY, type BeginRequest, type IssueAnswer, type Issued, type Pdp } from "../../src/pdp/pdp.ts";
import { createPep, type PepOptions } from "../../src/pep/create-pep.ts";
import type { BeginOptions, Pep } from "../../src/pep/pep.ts";
import type { Task } from "../../src/pep/task.ts";
import type { ToolCall } from "../../src/pep/tool-call.ts";
import { ORDER, parse } from "./envelopes.ts";

export const NOW = Date.UTC(2026, 4, 12, 12);
export const HANDLE = "handle-that-nobody-must-see";
export const REFUSAL: Refusal = { code: "policy_denied", message: "not allowed", retryable: false, requestable: true, step: "policy" };

export function permit(obligations: readonly Obligation[] = [], grant: Grant = { id: "grant_1", expiresAt: NOW + 30_000 }): Decision {
  return { decision: true, context: { id: "dec_1", grant, obligations } };
}

export function denial(refusal: Refusal = REFUSAL): Decision {
  return { decision: false, context: { id: "dec_2", refusal } };
}

/** What a decision point gives out for an envelope, without asking anybody. */
export function issue(wire: unknown, change: Partial<Issued> = {}): IssueAnswer {
  const issued: Issued = {
    envelopeId: "env_1",
    lineage: "lin_1",
    depth: 0,
    envelope: parse(wire),
    holding: { kind: "handle", handle: HANDLE },
    ...change,
  };
  return { decision: true, id: "dec_0", issued };
}

type Answers = { readonly [method in Exclude<keyof Pdp, "capability" | "terms">]?: (...request: Parameters<Pdp[method]>) => unknown };

export interface FakePdp extends Pdp {
  /** What was asked, in order. */
  readonly asked: readonly { readonly method: string; readonly request: never }[];
  asks(method: string): readonly never[];
}

/** A decision point that says what a test tells it to, however broken that is; else it permits. */
export function createFakePdp(answers: Answers = {}): FakePdp {
  const asked: { method: string; request: never }[] = [];
  // Not `async`: an answer that throws must throw, not reject.
  const answer =
    (method: keyof Answers, usual: (request: never) => unknown) =>
    (request: never): never => {
      asked.push({ method, request });
      const given = answers[method] as ((request: never) => unknown) | undefined;
      return (given === undefined ? Promise.resolve(usual(request)) : given(request)) as never;
    };
  return {
    capability: PDP_CAPABILITY,
    asked,
    asks: (method) => asked.filter((one) => one.method === method).map(({ request }) => request),
    begin: answer("begin", (request: BeginRequest) => issue(request.envelope)),
    handOff: answer("handOff", () => issue({ ...CLAIMS, agent_id: "other", task_id: "task_1/sub" }, { envelopeId: "env_2", depth: 1 })),
    decide: answer("decide", () => permit()),
    redeem: answer("redeem", () => ({ redeemed: true, receipt: "receipt_1" })),
    settle: answer("settle", () => ({ recorded: true })),
    terms: () => Promise.resolve({ order: ORDER, audience: ["pdp"], toolId: (name) => name.replaceAll("_", "."), pinOf: () => "none" }),
    introduce: answer("introduce", () => ({ decision: false, id: "dec_3", refusal: REFUSAL })),
    end: answer("end", () => ({ ended: true })),
  };
}

export const CLAIMS = {
  delegator_id: "user_1",
  tenant_id: "tenant_1",
  session_id: "sess_1",
  task_id: "task_1",
  purpose: "review",
  allowed_tools: ["contracts.read"],
  resource_constraints: { customer_id: "c1" },
  expires_at: "2026-05-12T18:30:00Z",
} as const;

export const BEGIN: BeginOptions = {
  delegatorId: "user_1",
  tenantId: "tenant_1",
  purpose: "review",
  allowedTools: ["contracts.read"],
  resourceConstraints: { customer_id: "c1" },
  expiresIn: "10m",
};

export interface Scene {
  readonly pdp: FakePdp;
  readonly pep: Pep;
  readonly task: Task;
  readonly call: (change?: Partial<ToolCall>) => ToolCall;
}

/** An agent in the middle of a task, before a decision point that answers as told. */
export async function scene(answers: Answers = {}, options: Partial<PepOptions> = {}): Promise<Scene> {
  const pdp = createFakePdp(answers);
  const pep = createPep({ pdp, agent: "agent", now: () => NOW, deadline: 50, ...options });
  const task = await pep.begin(BEGIN);
  return { pdp, pep, task, call: (change) => ({ envelope: task, tool: "contracts_read", arguments: { contract_id: "k1" }, ...change }) };
}
