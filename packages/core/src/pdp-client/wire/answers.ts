import type { JsonObject } from "../../data/json.ts";
import type { Decision, Grant, Refusal } from "../../pdp/decision.ts";
import type { Obligation } from "../../pdp/obligation.ts";
import { chain, refusal } from "./messages.ts";
import { as, count, data, flag, instant, list, object, optional, required, text, type Shape } from "./shape.ts";

// What the service answers. Which members a permit and a deny must have, `parseDecision` and its siblings say.

const grant: Shape<Grant> = object<Grant>({ id: required("id", text()), expiresAt: required("expires_at", instant) });

/** The properties are on the wire as they are in code. */
interface AnyObligation {
  readonly id: string;
  readonly type: string;
  readonly properties: JsonObject;
}
const obligation: Shape<Obligation> = as(
  object<AnyObligation>({ id: required("id", text()), type: required("type", text()), properties: required("properties", data) }),
  (known) => known as unknown as AnyObligation,
  (written) => written as unknown as Obligation,
);

export const decideAnswer: Shape<Decision> = object<Decision>({
  decision: required("decision", flag),
  context: required(
    "context",
    object<Decision["context"]>({
      id: required("id", text()),
      refusal: optional("refusal", refusal),
      obligations: optional("obligations", list(obligation, 1024)),
      grant: optional("grant", grant),
    }),
  ),
});

/** An envelope that was given out; without a chain where the asker has it. */
export interface IssuedOnWire {
  readonly envelopeId: string;
  readonly lineage: string;
  readonly depth: number;
  /** In its wire form. */
  readonly envelope: JsonObject;
  readonly chain?: readonly string[] | undefined;
}

export interface IssueOnWire {
  readonly decision: boolean;
  readonly id: string;
  readonly issued?: IssuedOnWire | undefined;
  readonly refusal?: Refusal | undefined;
}

export const issueAnswer: Shape<IssueOnWire> = object<IssueOnWire>({
  decision: required("decision", flag),
  id: required("id", text()),
  issued: optional(
    "issued",
    object<IssuedOnWire>({
      envelopeId: required("envelope_id", text()),
      lineage: required("lineage", text()),
      depth: required("depth", count),
      envelope: required("envelope", data),
      chain: optional("chain", chain),
    }),
  ),
  refusal: optional("refusal", refusal),
});

/** That something was done, or why not. */
export interface Done {
  readonly done: boolean;
  readonly refusal?: Refusal | undefined;
}

/** The same of a redemption, with what shows later who redeemed. */
export interface Redeemed extends Done {
  readonly receipt?: string | undefined;
}

const doneAs = (name: string): Shape<Done> => object<Done>({ done: required(name, flag), refusal: optional("refusal", refusal) });

export const redeemAnswer: Shape<Redeemed> = object<Redeemed>({
  done: required("redeemed", flag),
  receipt: optional("receipt", text()),
  refusal: optional("refusal", refusal),
});
export const settleAnswer: Shape<Done> = doneAs("recorded");
export const endAnswer: Shape<Done> = doneAs("ended");
export const revokeAnswer: Shape<Done> = doneAs("revoked");
