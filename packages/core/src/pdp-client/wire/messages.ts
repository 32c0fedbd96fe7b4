import type { JsonObject } from "../../data/json.ts";
import type { AccessRequest } from "../../pdp/access-request.ts";
import type { Refusal, Step } from "../../pdp/decision.ts";
import type { BeginRequest, CredentialUse, EndRequest, Introduction, Money, Outcome, OutcomeStatus, Redemption } from "../../pdp/pdp.ts";
import type { PublicJwk } from "../../token/crypto.ts";
import type { RefusalCode } from "../../errors.ts";
import { as, count, data, flag, instant, list, object, oneOf, optional, required, text, words, type Shape } from "./shape.ts";

/** A chain as it is shown to the service: whole, or by the digest of one that the service has seen. Handles do not leave their process. */
export interface Shown {
  readonly chain?: readonly string[];
  readonly chainHash?: string;
  readonly pop: string;
}

/** A question with its presentations as they are on the wire. */
type Wired<T extends { readonly presentation: unknown }> = Omit<T, "presentation"> & { readonly presentation: Shown };
export type DecideQuestion = Omit<AccessRequest, "context"> & { readonly context: Wired<AccessRequest["context"]> };
export type BeginQuestion = Omit<BeginRequest, "caller" | "continues" | "holder"> & { readonly continues?: Shown | undefined; readonly holder: PublicJwk };
export type RedeemQuestion = Wired<Redemption>;
export type SettleQuestion = Wired<Outcome>;
export type EndQuestion = Wired<EndRequest>;

/** What a person stops; who says so is whoever asks. */
export interface RevokeQuestion {
  readonly tenantId: string;
  readonly scope: "envelope" | "task" | "session" | "agent" | "delegator" | "tenant";
  readonly id?: string | undefined;
  readonly reason?: string | undefined;
}

/** Tokens are 16 KiB at most, and 64 of them follow one another; a proof carries the arguments. */
const TOKEN = text(65_536);
const POP = text(1_048_576);

export const chain: Shape<readonly string[]> = list(TOKEN, 65, 1);

const shown: Shape<Shown> = object<Shown>({ chain: optional("chain", chain), chainHash: optional("chain_hash", text(128)), pop: required("pop", POP) });

const STEPS = ["call", "envelope", "constraint", "intent", "policy", "approval", "commit", "log"] as const satisfies readonly Step[];

/** The members of a refusal that any of them may have. */
const REFUSAL = {
  message: required("message", words(2000)),
  hint: optional("hint", words(2000)),
  step: optional("step", oneOf(...STEPS)),
  retryable: required("retryable", flag),
  requestable: optional("requestable", flag),
} as const;

export const refusal: Shape<Refusal> = object<Refusal>({
  ...REFUSAL,
  code: required("code", text(64) as Shape<RefusalCode>),
  approval: optional("approval", object<NonNullable<Refusal["approval"]>>({ id: required("id", text()), expiresAt: required("expires_at", instant) })),
});

/** What an enforcement point refused before it asked: there is only one thing that it is asked to record. */
const flaw: Shape<Refusal> = as<Refusal, Omit<Refusal, "approval">>(
  object<Omit<Refusal, "approval">>({
    ...REFUSAL,
    code: required("code", oneOf("argument_not_allowed", "audience_mismatch", "envelope_malformed") as Shape<RefusalCode>),
  }),
  (known) => known,
  (written) => written,
);

export const decideQuestion: Shape<DecideQuestion> = object<DecideQuestion>({
  subject: required("subject", object<AccessRequest["subject"]>({ type: required("type", oneOf("user")), id: required("id", text()) })),
  action: required(
    "action",
    object<AccessRequest["action"]>({
      name: required("name", text(1024)),
      properties: optional(
        "properties",
        object<NonNullable<AccessRequest["action"]["properties"]>>({ server: optional("server", text(1024)), definition: optional("definition", text()) }),
      ),
    }),
  ),
  resource: required("resource", object<AccessRequest["resource"]>({ type: required("type", oneOf("tool")), id: required("id", text(1024)) })),
  context: required(
    "context",
    object<DecideQuestion["context"]>({
      presentation: required("presentation", shown),
      agent: required("agent", text()),
      call_id: required("call_id", text(2048)),
      call_digest: required("call_digest", text()),
      arguments: required("arguments", data),
      supported_obligations: required("supported_obligations", list(text(), 64)),
      refusal: optional("refusal", flaw),
      mode: optional("mode", oneOf("observe")),
    }),
  ),
});

export const beginQuestion: Shape<BeginQuestion> = object<BeginQuestion>({
  envelope: required("envelope", data),
  agent: required("agent", text()),
  instruction: optional("instruction", text(262_144)),
  assertedBy: required("asserted_by", oneOf("app", "proof")),
  proof: optional("proof", text(65_536)),
  // What a key is, the reader of keys says.
  holder: required(
    "holder",
    as<PublicJwk, JsonObject>(
      data,
      (jwk) => jwk as unknown as JsonObject,
      (jwk) => jwk as unknown as PublicJwk,
    ),
  ),
  continues: optional("continues", shown),
  mode: optional("mode", oneOf("observe")),
});

type Excerpt = Introduction["excerpts"][number];
const excerpt: Shape<Excerpt> = object<Excerpt>({ label: required("label", text(1024)), dataClasses: required("data_classes", list(text(), 256)) });

export const introduceQuestion: Shape<Introduction> = object<Introduction>({
  chain: required("chain", chain),
  agent: required("agent", text()),
  excerpts: required("excerpts", list(excerpt, 256)),
  mode: optional("mode", oneOf("observe")),
});

export const redeemQuestion: Shape<RedeemQuestion> = object<RedeemQuestion>({
  presentation: required("presentation", shown),
  agent: required("agent", text()),
  callId: required("call_id", text(2048)),
  grantId: required("grant_id", text()),
  callDigest: required("call_digest", text()),
});

const STATUSES = ["done", "failed", "unknown", "withheld", "not_run", "paused"] as const satisfies readonly OutcomeStatus[];

export const settleQuestion: Shape<SettleQuestion> = object<SettleQuestion>({
  presentation: required("presentation", shown),
  agent: required("agent", text()),
  callId: required("call_id", text(2048)),
  decisionId: required("decision_id", text()),
  grantId: required("grant_id", text()),
  status: required("status", oneOf(...STATUSES)),
  records: optional("records", count),
  money: optional("money", object<Money>({ currency: required("currency", text()), amount: required("amount", count) })),
  resultDigest: optional("result_digest", text()),
  redeemed: optional("redeemed", oneOf(true)),
  credential: optional(
    "credential",
    object<CredentialUse>({ connector: required("connector", text()), overPrivileged: optional("over_privileged", words(2000)) }),
  ),
  receipt: optional("receipt", text()),
});

export const endQuestion: Shape<EndQuestion> = object<EndQuestion>({ presentation: required("presentation", shown), agent: required("agent", text()) });

const SCOPES = ["envelope", "task", "session", "agent", "delegator", "tenant"] as const;

export const revokeQuestion: Shape<RevokeQuestion> = object<RevokeQuestion>({
  tenantId: required("tenant_id", text()),
  scope: required("scope", oneOf(...SCOPES)),
  id: optional("id", text()),
  reason: optional("reason", words(2000)),
});
