import type { JsonObject } from "../../data/json.ts";
import { data, list, object, optional, required, text, type Shape } from "./shape.ts";

/** A tool's id and the names that it goes by. */
export interface NamedTool {
  readonly id: string;
  readonly names: readonly { readonly name: string; readonly server?: string; readonly pin: string }[];
}

/** What a holder of signed envelopes has to know, with everything that its digests are made of. */
export interface TermsOnWire {
  /** The URL by which the service is known; another one than was asked is somebody else's (mix-up). */
  readonly policyDecisionPoint: string;
  readonly capability: string;
  readonly audience: readonly string[];
  readonly vocabulary: { readonly digest: string; /** By key. */ readonly kinds: JsonObject };
  readonly purposes: { readonly digest: string; /** As in the configuration. */ readonly catalogue: JsonObject };
  readonly tools: readonly NamedTool[];
}

const NAME: Shape<NamedTool["names"][number]> = object<NamedTool["names"][number]>({
  name: required("name", text(1024)),
  server: optional("server", text(1024)),
  pin: required("pin", text(128)),
});

export const termsAnswer: Shape<TermsOnWire> = object<TermsOnWire>({
  policyDecisionPoint: required("policy_decision_point", text(2048)),
  capability: required("capability", text()),
  audience: required("audience", list(text(), 64)),
  vocabulary: required("vocabulary", object<TermsOnWire["vocabulary"]>({ digest: required("digest", text()), kinds: required("kinds", data) })),
  purposes: required("purposes", object<TermsOnWire["purposes"]>({ digest: required("digest", text()), catalogue: required("catalogue", data) })),
  tools: required("tools", list(object<NamedTool>({ id: required("id", text()), names: required("names", list(NAME, 256)) }), 10_000)),
});
