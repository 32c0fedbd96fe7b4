import type { Decision } from "../../pdp/decision.ts";
import type { Introduction } from "../../pdp/pdp.ts";
import { decideAnswer, endAnswer, issueAnswer, redeemAnswer, revokeAnswer, settleAnswer, type Done, type IssueOnWire, type Redeemed } from "./answers.ts";
import {
  beginQuestion,
  decideQuestion,
  endQuestion,
  introduceQuestion,
  redeemQuestion,
  revokeQuestion,
  settleQuestion,
  type BeginQuestion,
  type DecideQuestion,
  type EndQuestion,
  type RedeemQuestion,
  type RevokeQuestion,
  type SettleQuestion,
} from "./messages.ts";
import type { Shape } from "./shape.ts";

/** Where something is asked, by POST, and how both sides spell it. */
export interface Endpoint<Q, A> {
  readonly path: string;
  readonly question: Shape<Q>;
  readonly answer: Shape<A>;
}

export const TERMS_PATH = "/ambit/v1/terms";

/** The endpoints of version 1. Members that it does not know are refused on both sides: one of them might be what narrows. */
export const ENDPOINTS: {
  readonly begin: Endpoint<BeginQuestion, IssueOnWire>;
  readonly introduce: Endpoint<Introduction, IssueOnWire>;
  readonly decide: Endpoint<DecideQuestion, Decision>;
  readonly redeem: Endpoint<RedeemQuestion, Redeemed>;
  readonly settle: Endpoint<SettleQuestion, Done>;
  readonly end: Endpoint<EndQuestion, Done>;
  readonly revoke: Endpoint<RevokeQuestion, Done>;
} = Object.freeze({
  begin: { path: "/ambit/v1/begin", question: beginQuestion, answer: issueAnswer },
  introduce: { path: "/ambit/v1/introduce", question: introduceQuestion, answer: issueAnswer },
  decide: { path: "/ambit/v1/decide", question: decideQuestion, answer: decideAnswer },
  redeem: { path: "/ambit/v1/redeem", question: redeemQuestion, answer: redeemAnswer },
  settle: { path: "/ambit/v1/settle", question: settleQuestion, answer: settleAnswer },
  end: { path: "/ambit/v1/end", question: endQuestion, answer: endAnswer },
  revoke: { path: "/ambit/v1/revoke", question: revokeQuestion, answer: revokeAnswer },
});
