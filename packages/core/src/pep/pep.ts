import type { Budgets } from "../envelope/budgets.ts";
import type { Envelope, ResourceConstraints } from "../envelope/envelope.ts";
import type { CredentialUse, Excerpt } from "../pdp/pdp.ts";
import type { PublicJwk } from "../token/crypto.ts";
import type { TokenPresentation } from "../token/presentation.ts";
import type { EnvelopeSource, Task } from "./task.ts";
import type { ToolCall } from "./tool-call.ts";
import type { Refused } from "./verdict.ts";

/** `"90s"`, `"10m"`, `"2h"`, or milliseconds. */
export type Duration = number | string;

/** How long an envelope lives; one of both is needed. */
export interface Lifetime {
  /** From now. */
  readonly expiresIn?: Duration | undefined;
  /** Milliseconds since the epoch, or an ISO 8601 instant. */
  readonly expiresAt?: number | string | undefined;
}

export interface BeginOptions extends Lifetime {
  readonly delegatorId: string;
  readonly tenantId: string;
  readonly purpose: string;
  readonly allowedTools: readonly string[];
  readonly resourceConstraints: ResourceConstraints;
  /** The delegator's own words. Handed to the decision point; the embedded one decides nothing by them yet, and keeps none of them. */
  readonly instruction?: string | undefined;
  /** Default: made up. */
  readonly sessionId?: string | undefined;
  /** Default: made up. */
  readonly taskId?: string | undefined;
  readonly mayDelegate?: readonly string[] | undefined;
  readonly deniedTools?: readonly string[] | undefined;
  readonly budgets?: Budgets | undefined;
  readonly approvals?: readonly string[] | undefined;
  readonly maxDepth?: number | undefined;
  /** An OIDC token or a JWT-SVID of the delegator; without it the application vouches for the delegator. */
  readonly delegatorProof?: string | undefined;
  /** Ends the task when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** What is to change when a task goes on; what is left out stays as it was. Another purpose revokes the old envelope. */
export interface RenewOptions
  extends
    Lifetime,
    Pick<BeginOptions, "mayDelegate" | "deniedTools" | "budgets" | "approvals" | "delegatorProof" | "signal">,
    Partial<Pick<BeginOptions, "purpose" | "allowedTools" | "resourceConstraints">> {}

export interface HandOffOptions {
  /** The agent that gets the child. */
  readonly agentId: string;
  readonly purpose?: string | undefined;
  /** Tools the child may use; none when left out. */
  readonly allowedTools?: readonly string[] | undefined;
  readonly mayDelegate?: readonly string[] | undefined;
  readonly deniedTools?: readonly string[] | undefined;
  readonly resourceConstraints?: ResourceConstraints | undefined;
  readonly budgets?: Budgets | undefined;
  readonly approvals?: readonly string[] | undefined;
  readonly maxDepth?: number | undefined;
  readonly expiresIn?: Duration | undefined;
  /** `parent/sub`; default: the parent's task. */
  readonly taskId?: string | undefined;
  /** Labelled excerpts, given instead of access to where they came from. */
  readonly data?: readonly Excerpt[] | undefined;
  /** The receiver's public key, where it is an agent of another process. Default: that of `keys`. */
  readonly holder?: PublicJwk | undefined;
  /** Ends the child's envelope when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** A call that may run now, once. Whoever gets one must call `complete`, `fail`, `abandon`, `pause` or `cancel` exactly once. */
export interface Admission {
  readonly admitted: true;
  readonly decisionId: string;
  /** The envelope that allows the call, and until when its grant would have been good (milliseconds since the epoch). Absent where an observed call was not permitted. */
  readonly under?: { readonly envelope: Envelope; readonly until: number };
  /** The arguments to run with: a fresh copy of exactly what was decided (I4). */
  readonly arguments: Record<string, unknown>;
  /** Whether parts of the result may have to be held back, so that nothing of it may be shown before `complete`. */
  readonly holdsResult: boolean;
  /**
   * Runs the body of the tool. The same call at another enforcement point on its way (a guarded transport that the body calls over) is then this very call: it goes on
   * without being decided or charged again, once, for as long as the grant would have been good. Needs `node:async_hooks`; elsewhere such a call is decided by itself.
   */
  run<R>(body: () => R): R;
  /** Says which credential the call runs with, before it ends: for the record of its outcome. */
  uses(credential: CredentialUse): void;
  /**
   * Carries out the obligations on the result and records the outcome: `failed` where it says so in MCP's form (`isError`). What it returns is all that may be shown; a second
   * time it is the same again.
   */
  complete<T>(result: T): Promise<Completion<T>>;
  /** The tool was started and failed: records are given back, the call where the tool only reads; money and rate never. */
  fail(error: unknown): Promise<void>;
  /** Nobody knows whether the call took effect: what was reserved stays reserved. */
  abandon(): Promise<void>;
  /**
   * The tool waits for somebody and will be started anew: the very same call (its id and its arguments) may be asked again, is decided again, and goes on with what was
   * reserved. A call without an id and a turn cannot be told from another one, so it does not go on.
   */
  pause(): Promise<void>;
  /** The call was never sent to the tool: as if it had not been asked for. */
  cancel(): Promise<void>;
  /**
   * The envelope of the call and a fresh proof over the tool's id and the decided arguments, for another verifier on the call's way (the server of the tool); without
   * `audience` for the decision point. Absent where there is nothing to show: a handle is nobody else's to see. Rejects with what the key rejects with.
   */
  readonly show?: (audience?: string) => Promise<TokenPresentation>;
}

/** A call that was asked about before it is to run. What was reserved for one that is never run is given back when its grant runs out. */
export interface Asked {
  /** Why it may not run, as things are; absent where it may. */
  readonly refused?: Refused | undefined;
  /** Spends the grant; with one that ran out meanwhile, asks again. Refused where the call was. At most once. */
  admit(signal?: AbortSignal): ReturnType<Pep["admit"]>;
}

export type Completion<T> = { readonly released: true; readonly result: T } | { readonly released: false; readonly refused: Refused };

/** How a call ended: with a result to show, or refused. A tool's own error is thrown on as it was. */
export type Enforced<T> = { readonly refused?: undefined; readonly result: T; readonly decisionId: string } | { readonly refused: Refused };

/** The enforcement point of one agent. Plain functions; nothing to close. */
export interface Pep {
  /** The agent that this enforcement point speaks for. */
  readonly agent: string;
  /** Begins a task: asks for its root envelope. Throws `AmbitError` with the refusal's code. */
  begin(options: BeginOptions): Promise<Task>;
  /**
   * Goes on with a task that takes longer than its envelope: a new root in the same lineage, so that budgets, labels and facts stay. Decided like a beginning, and
   * never less than it asks for. The task must not have ended or expired; what was derived from it lives until its own expiry.
   */
  renew(task: Task, options: RenewOptions): Promise<Task>;
  /** Takes an envelope that another process derived for this agent, and has it decided before anything is done under it. Throws `AmbitError`. */
  receive(chain: readonly string[]): Promise<Task>;
  /** Gives another agent a part of what this one has; throws `AmbitError` (`not_narrower`, …) rather than give less than was asked for. */
  handOff(task: EnvelopeSource, options: HandOffOptions): Promise<Task>;
  /**
   * The automatic hand-off, for an agent that another one runs: what `envelope` stands for, handed off to this agent unless it is its own. Within the body of a call
   * (`Admission.run`) of the same lineage, that of the call is what is handed off, as it is the one of whoever runs this agent. A source to pass on like any other; it
   * rejects with what the hand-off is refused with. What it gives away ends with what it is a part of.
   */
  inherit(envelope: EnvelopeSource): () => Promise<Task | undefined>;
  /** The enforcement point of another agent at the same decision point. */
  as(agent: string): Pep;
  /** Asks whether a call may run, before the framework is about to run it: to pause for an approval. Never throws for a refusal. */
  ask(call: ToolCall): Promise<Asked>;
  /** Asks whether a call may run now. Never throws for a refusal, whatever the decision point does. */
  admit(call: ToolCall): Promise<Admission | { readonly admitted: false; readonly refused: Refused }>;
  /**
   * Which of these names at this server are those of tools that the envelope allows, for what a model is shown. Decides nothing and records nothing: a tool that is left
   * out is refused when it is called all the same. None without an envelope. Throws `AmbitError` when it cannot be told.
   */
  offers(envelope: EnvelopeSource, names: readonly string[], server?: string): Promise<ReadonlySet<string>>;
  /** Asks, runs `run` at most once with the decided arguments, carries out the obligations, records the outcome. */
  enforce<T>(call: ToolCall, run: (args: Record<string, unknown>) => T | Promise<T>): Promise<Enforced<T>>;
}
