/**
 * A client of the decision point's service, and the messages that both of them speak.
 *
 * @module
 */
export { pdpClient, type PdpClient } from "./pdp-client.ts";
export type { Credentials, PdpClientOptions } from "./options.ts";

// The wire, for the service.
export { ENDPOINTS, TERMS_PATH, type Endpoint } from "./wire/endpoints.ts";
export { readMessage } from "./wire/json.ts";
export { readShape, type Shape } from "./wire/shape.ts";
export { chainHashOf } from "./wire/chain-hash.ts";
export { problem, type Problem, type ProblemCode } from "./wire/problem.ts";
export { termsAnswer, type NamedTool, type TermsOnWire } from "./wire/terms.ts";
export type { Done, IssuedOnWire, IssueOnWire } from "./wire/answers.ts";
export type { BeginQuestion, DecideQuestion, EndQuestion, RedeemQuestion, RevokeQuestion, SettleQuestion, Shown } from "./wire/messages.ts";

// Its HTTP, for clients of other services.
export { createTransport, type Exchanged, type Question, type Transport, type TransportOptions } from "./exchange.ts";
export { checkedUrl, whole } from "./options.ts";
