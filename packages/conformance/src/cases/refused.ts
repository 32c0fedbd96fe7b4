import { AmbitError, type RefusalCode } from "@ambit/core";
import { expect } from "../runner.ts";
import { casesFor, type Case, type Group } from "../case.ts";
import type { Harness } from "../harness.ts";
import { deny, enforcement, permit, scriptedPdp } from "../scripted-pdp.ts";
import { CALL, expectRefused, runOne, watch } from "../watch.ts";

const SECRET = "password=hunter2";
const hang = (): Promise<never> => new Promise(() => undefined);
const answering = (answer: unknown) => (): Promise<unknown> => Promise.resolve(answer);
const throwing = (error: unknown) => (): never => {
  throw error;
};
const withDecision = (decision: unknown): unknown => ({ ...permit(), decision });
const withContext = (change: object): unknown => ({ decision: true, context: { ...permit().context, ...change } });
const demanding = (type: string, properties: unknown = {}): unknown => withContext({ obligations: [{ id: "o1", type, properties }] });

/** What a decision point does instead of permitting, and the code that the call is refused with. */
const BROKEN: readonly (readonly [title: string, code: RefusalCode, decide: () => unknown])[] = [
  ["throws", "pdp_unavailable", throwing(new Error(SECRET))],
  ["throws what is no error", "pdp_unavailable", throwing(SECRET)],
  ["throws a refusal of ours", "pdp_unavailable", throwing(new AmbitError("policy_denied", SECRET))],
  ["rejects", "pdp_unavailable", () => Promise.reject(new Error(SECRET))],
  ["hangs", "pdp_timeout", hang],
  ["permits when nobody waits any longer", "pdp_timeout", () => new Promise((resolve) => setTimeout(() => resolve(permit()), 120))],
  ["answers nothing", "pdp_response_invalid", answering(undefined)],
  ["answers null", "pdp_response_invalid", answering(null)],
  ["answers `true`", "pdp_response_invalid", answering(true)],
  ["answers text", "pdp_response_invalid", answering(JSON.stringify(permit()))],
  ["answers a list", "pdp_response_invalid", answering([permit()])],
  ["answers an object without anything", "pdp_response_invalid", answering({})],
  ["answers with an inherited permit", "pdp_response_invalid", answering(Object.create(permit()))],
  ['says `decision: "true"`', "pdp_response_invalid", answering(withDecision("true"))],
  ["says `decision: 1`", "pdp_response_invalid", answering(withDecision(1))],
  ["says `decision: {}`", "pdp_response_invalid", answering(withDecision({}))],
  ["says `decision: null`", "pdp_response_invalid", answering(withDecision(null))],
  ["permits without a context", "pdp_response_invalid", answering({ decision: true })],
  ["permits without a grant", "pdp_response_invalid", answering(withContext({ grant: undefined }))],
  ["permits with a grant without end", "pdp_response_invalid", answering(withContext({ grant: { id: "g", expiresAt: Infinity } }))],
  ["permits with a grant that has expired", "grant_invalid", answering(withContext({ grant: { id: "g", expiresAt: 1 } }))],
  ["permits with obligations that are no list", "pdp_response_invalid", answering(withContext({ obligations: {} }))],
  ["demands what nobody has heard of", "obligation_unsupported", answering(demanding("sing"))],
  ["demands what every object has", "obligation_unsupported", answering(demanding("toString"))],
  ["demands an approval as an obligation", "obligation_unsupported", answering(demanding("require_approval"))],
  ["limits to a number that is none", "obligation_unsupported", answering(demanding("limit_records", { pointer: "/notes", max: "1" }))],
  [
    "filters by a kind that every object has",
    "obligation_unsupported",
    answering(demanding("filter_records", { pointer: "/a", kind: "constructor", constraint: 1 })),
  ],
  ["denies without a reason", "pdp_response_invalid", answering({ decision: false, context: { id: "d" } })],
  ["denies", "policy_denied", answering(deny())],
];

/** What a decision point answers to a redemption instead of yes. */
const UNREDEEMED: readonly (readonly [title: string, code: RefusalCode, redeem: () => unknown])[] = [
  ["hangs", "pdp_timeout", hang],
  ["throws", "pdp_unavailable", throwing(new Error(SECRET))],
  ["rejects", "pdp_unavailable", () => Promise.reject(new Error(SECRET))],
  ["answers nothing", "pdp_response_invalid", answering(undefined)],
  ['says `redeemed: "true"`', "pdp_response_invalid", answering({ redeemed: "true", receipt: "r" })],
  ["inherits its yes", "pdp_response_invalid", answering(Object.create({ redeemed: true, receipt: "r" }))],
  ["says that it is spent", "grant_replayed", answering({ redeemed: false, refusal: { code: "grant_replayed", message: "spent", retryable: false } })],
];

/** A call that may not run, for whatever reason. */
export function refusedCalls(harness: Harness): Group {
  const { about, needing } = casesFor(harness);
  const neverRuns = async (answers: Parameters<typeof scriptedPdp>[0], code: RefusalCode, isStreamed = false): Promise<void> => {
    const pdp = scriptedPdp(answers);
    const { pep, task } = await enforcement(pdp, code === "pdp_timeout" ? 60 : 5000);
    const { tool, ran } = watch(harness);
    const { shown, everything } = await runOne(harness, { pep, envelope: task, tool, isStreamed });
    expect(ran).toEqual([]);
    expectRefused(shown, code);
    expect(everything).not.toContain(SECRET);
    expect(pdp.asked).toHaveLength(1);
    expect(pdp.settled.filter(({ status }) => status !== "not_run")).toEqual([]);
    if (answers?.decide !== undefined) expect(pdp.redeemed).toEqual([]);
  };
  const decided = BROKEN.map(([title, code, decide]): Case =>
    about(`never runs when the decision point ${title} (${code})`, () => neverRuns({ decide }, code)),
  );
  const redeemed = UNREDEEMED.map(([title, code, redeem]): Case =>
    about(`never runs when the decision point, asked for the grant, ${title} (${code})`, () => neverRuns({ redeem }, code)),
  );
  return {
    title: "a refused call",
    cases: [
      ...decided,
      ...redeemed,
      needing("streamedRuns", "never runs in a run that is read as a stream, and the run goes on", () =>
        neverRuns({ decide: answering(deny()) }, "policy_denied", true),
      ),
      about("leaves the others of its turn alone", async () => {
        const pdp = scriptedPdp({ decide: async ({ action }) => (action.name === "bad" ? deny() : permit()) });
        const { pep, task } = await enforcement(pdp);
        const [good, bad] = [watch(harness, { name: "good" }), watch(harness, { name: "bad" })];
        const calls = ["bad", "good", "bad"].map((name, at) => ({ id: `call-${at}`, name, args: {} }));
        const { shown, failure } = await harness.run({ pep, envelope: task, tools: [good.tool, bad.tool], calls });
        expect([failure, good.ran.length, bad.ran.length]).toEqual([undefined, 1, 0]);
        expect(shown.map(({ isError }) => isError)).toEqual([true, false, true]);
      }),
      about("is possible again as soon as the decision point has recovered", async () => {
        let isDown = true;
        const pdp = scriptedPdp({ decide: () => (isDown ? Promise.reject(new Error("down")) : Promise.resolve(permit())) });
        const { pep, task } = await enforcement(pdp);
        const { tool, ran } = watch(harness);
        expectRefused((await runOne(harness, { pep, envelope: task, tool })).shown, "pdp_unavailable");
        isDown = false;
        expect((await runOne(harness, { pep, envelope: task, tool, call: { ...CALL, id: "call-2" } })).shown.isError).toBe(false);
        expect(ran).toHaveLength(1);
      }),
    ],
  };
}
