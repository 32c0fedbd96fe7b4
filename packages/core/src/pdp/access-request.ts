import type { JsonObject } from "../data/json.ts";
import type { Refusal } from "./decision.ts";
import type { Presentation } from "./presentation.ts";

/**
 * One question, in the terms of the AuthZEN Authorization API 1.0. The enforcement point states what it knows; tool id and resource are the
 * manifest's to say, and the subject is checked against the envelope.
 */
export interface AccessRequest {
  readonly subject: { readonly type: "user"; readonly id: string };
  readonly action: {
    /** The tool's name, exactly as the framework or server has it. */
    readonly name: string;
    readonly properties?: {
      /** The operator's name for the server that offers the tool. */
      readonly server?: string;
      /** Digest of the tool's definition as the framework sees it. */
      readonly definition?: string;
    };
  };
  readonly resource: { readonly type: "tool"; readonly id: string };
  readonly context: {
    readonly presentation: Presentation;
    /** The agent that asks. */
    readonly agent: string;
    /** Survives a resume; the same id with the same digest returns the existing decision. */
    readonly call_id: string;
    readonly call_digest: string;
    readonly arguments: JsonObject;
    readonly supported_obligations: readonly string[];
    /** Set when the enforcement point itself refused already: asks for nothing but the record. */
    readonly refusal?: Refusal;
    /** Whoever asks will not do as the answer says: for the record. */
    readonly mode?: "observe";
  };
}
