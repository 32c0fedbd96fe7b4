import type { JsonObject } from "../data/json.ts";
import type { Narrowing } from "../envelope/attenuate.ts";
import type { Envelope } from "../envelope/envelope.ts";
import type { AccessRequest } from "./access-request.ts";
import type { Decision, Refusal } from "./decision.ts";
import type { PublicJwk } from "../token/crypto.ts";
import type { Holding, Presentation } from "./presentation.ts";
import type { Terms } from "./terms.ts";

/** What an enforcement point asks of a decision point beyond plain AuthZEN evaluations. */
export const PDP_CAPABILITY = "urn:ambit:pdp:1";

/** What a decision point answers when it gave out an envelope. */
export interface Issued {
  readonly envelopeId: string;
  /** A root envelope and everything derived from it. */
  readonly lineage: string;
  /** Hand-offs between the root and this envelope. */
  readonly depth: number;
  readonly envelope: Envelope;
  readonly holding: Holding;
}

export type IssueAnswer =
  { readonly decision: true; readonly id: string; readonly issued: Issued } | { readonly decision: false; readonly id: string; readonly refusal: Refusal };

export interface BeginRequest {
  /** The envelope in its wire form, untrusted. */
  readonly envelope: JsonObject;
  readonly agent: string;
  /** The delegator's own words, where the application has them. */
  readonly instruction?: string | undefined;
  /** Who vouches for the delegator: the application, or whoever signed the proof. */
  readonly assertedBy: "app" | "proof";
  /** Through whom it is asked, as a service authenticated them; for the record. */
  readonly caller?: string | undefined;
  /** With `assertedBy: "proof"`: an OIDC token or a JWT-SVID of the delegator. */
  readonly proof?: string | undefined;
  /** The key that the envelope is to be bound to; with it a signed chain is given out, and a handle without. */
  readonly holder?: PublicJwk | undefined;
  /** The envelope that this one goes on from, in the same lineage: ledgers, labels and facts stay. */
  readonly continues?: Presentation | undefined;
  /** For the record, as `mode` of a call: who asks goes on whatever is decided. */
  readonly mode?: "observe" | undefined;
}

/** A piece of data given along with a hand-off, instead of access to where it came from. */
export interface Excerpt {
  readonly data: unknown;
  readonly dataClasses: readonly string[];
  /** What the excerpt is, for the record: `renewal clause of contract_7781`. */
  readonly label: string;
}

export interface HandOffRequest {
  readonly parent: Presentation;
  readonly agent: string;
  readonly narrowing: Narrowing & { readonly agentId: string };
  /** Labels and data classes only; the data itself stays in the process. */
  readonly excerpts: readonly { readonly label: string; readonly dataClasses: readonly string[] }[];
  readonly mode?: BeginRequest["mode"];
}

/** An envelope that was issued or derived elsewhere, shown for the first time. */
export interface Introduction {
  /** From the root to the leaf. It is no proof that anybody holds it: what is given out here is a decision, no authority. */
  readonly chain: readonly string[];
  /** Who shows it: the giver or the receiver. */
  readonly agent: string;
  /** What is given along with it. */
  readonly excerpts: HandOffRequest["excerpts"];
  readonly mode?: BeginRequest["mode"];
}

export interface Redemption {
  readonly presentation: Presentation;
  readonly agent: string;
  readonly callId: string;
  readonly grantId: string;
  /** Digest of the call that is about to run; another one than was decided is refused. */
  readonly callDigest: string;
}

/**
 * How a permitted call ended. `unknown`: nobody can tell whether it took effect; what was reserved stays reserved. `paused`: it has not ended, and the very same call may be
 * asked again, to go on with what was reserved. Who reported `unknown` and finds out may report `done` or `failed` after all.
 */
export type OutcomeStatus = "done" | "failed" | "unknown" | "withheld" | "not_run" | "paused";

/** Minor units of a currency. */
export interface Money {
  readonly currency: string;
  readonly amount: number;
}

/** What a call ran with; nothing of the secret itself (I10). */
export interface CredentialUse {
  /** The operator's name for where the credential came from. */
  readonly connector: string;
  /** What it allowed beyond the call; absent where it allowed nothing else. */
  readonly overPrivileged?: string | undefined;
}

export interface Outcome {
  readonly presentation: Presentation;
  readonly agent: string;
  readonly callId: string;
  readonly decisionId: string;
  /** Of the decision: who does not know it has not asked, and settles nothing. */
  readonly grantId: string;
  readonly status: OutcomeStatus;
  /** Records that the result carried after all obligations; absent when the tool carries none. */
  readonly records?: number | undefined;
  /** What the result says was spent, in minor units; absent when nobody asked (`report_money`), and when it says nothing of the kind: then what was reserved was. */
  readonly money?: Money | undefined;
  /** Salted digest of the result as it was returned; absent when it is not plain data, or large. */
  readonly resultDigest?: string | undefined;
  /** With `not_run`: whoever reports it had redeemed the grant, so that nobody else runs the call. */
  readonly redeemed?: true | undefined;
  /** Absent where the call had no credential of its own. */
  readonly credential?: CredentialUse | undefined;
  /** What the redemption answered. Without it nothing is said of a call whose grant was redeemed. */
  readonly receipt?: string | undefined;
}

export interface EndRequest {
  readonly presentation: Presentation;
  readonly agent: string;
}

/**
 * The decision point, as the enforcement point sees it. Every method may reject, hang or answer nonsense; the enforcement point turns
 * each of these into a deny. A foreign AuthZEN decision point is not one of these: it plugs in as a policy engine.
 */
export interface Pdp {
  readonly capability: typeof PDP_CAPABILITY;
  /** Decides the beginning of a task and gives out its root envelope. */
  begin(request: BeginRequest): Promise<IssueAnswer>;
  /** What a holder of signed envelopes has to know. */
  terms(): Promise<Terms>;
  /** Decides a hand-off behind a handle and gives out the child envelope, exactly as narrow as asked for. */
  handOff(request: HandOffRequest): Promise<IssueAnswer>;
  /** Decides what is new of a signed chain: its beginning, and each hand-off. A chain that is not shown before its first call is decided then. */
  introduce(request: Introduction): Promise<IssueAnswer>;
  /** Decides one call. */
  decide(request: AccessRequest): Promise<Decision>;
  /** Spends a grant; true at most once per grant (I5). */
  redeem(
    request: Redemption,
  ): Promise<{ readonly redeemed: true; readonly receipt?: string | undefined } | { readonly redeemed: false; readonly refusal: Refusal }>;
  /** Records how a permitted call ended and settles what was reserved for it. */
  settle(outcome: Outcome): Promise<{ readonly recorded: true }>;
  /** Ends a task or a hand-off: revokes its envelope and everything below it. Recorded, never refused. */
  end(request: EndRequest): Promise<{ readonly ended: true }>;
}
