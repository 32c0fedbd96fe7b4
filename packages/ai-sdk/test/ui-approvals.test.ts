import { createWorld } from "@ambit/conformance";
import * as ai7 from "ai";
import * as ai6 from "ai-6";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { protect } from "../src/index.ts";
import { callingModelOf } from "./support/models.ts";
import { sdk6, sdk7, type Message, type Sdk } from "./support/sdks.ts";

type Ui = Pick<typeof ai7, "readUIMessageStream" | "convertToModelMessages">;
interface UiPart {
  readonly type: string;
  readonly state?: string;
  readonly output?: unknown;
  readonly errorText?: string;
  readonly input?: object;
  readonly approval?: { readonly id: string };
}

/** A chat as a page and a server have it: UI messages on the one side, `streamText` on the other. */
async function chat(sdk: Sdk, ui: Ui) {
  const world = await createWorld({ holding: "handles" });
  const task = await world.begin();
  const ran: unknown[] = [];
  const execute = async (input: unknown): Promise<string> => (ran.push(input), "paid");
  const payments_pay = sdk.tool({ inputSchema: z.object({ to: z.string(), amount: z.number() }), execute });
  const { tools } = protect(world.pep, { tools: { payments_pay } as never, envelope: task });
  const user = { id: "u", role: "user", parts: [{ type: "text", text: "pay" }] };
  const call = { id: "call-1", name: "payments_pay", input: { to: "c1", amount: 5 } };
  /** What the page sees of a turn of the server. */
  const turn = async (
    model: object,
    messages: readonly object[],
  ): Promise<{ readonly id: string; readonly role: string; readonly parts: readonly UiPart[] }> => {
    const history = (await ui.convertToModelMessages(messages as never, { tools: tools as never })) as unknown as readonly Message[];
    const stream = sdk.streamText({ model: model as never, messages: history, tools, stopWhen: sdk.stopAfter(3) }).toUIMessageStream() as never;
    let last: unknown;
    for await (const message of ui.readUIMessageStream({ stream, ...(messages.length > 1 ? { message: structuredClone(messages.at(-1)) as never } : {}) }))
      last = message;
    return last as never;
  };
  const paused = await turn(callingModelOf(sdk, [call]), [user]);
  /** What the page sends back, having changed whatever it likes. */
  const reply = (change: object = {}) => {
    const parts = paused.parts.map((part) =>
      part.state === "approval-requested" ? { ...part, state: "approval-responded", approval: { ...part.approval, approved: true }, ...change } : part,
    );
    return turn(callingModelOf(sdk), [user, { ...paused, parts }]);
  };
  return { ...world, ran, paused, reply };
}

const partOf = ({ parts }: { readonly parts: readonly UiPart[] }): UiPart | undefined => parts.find(({ type }) => type === "tool-payments_pay");

describe.each<[string, Sdk, Ui]>([
  ["ai 6", sdk6, ai6 as unknown as Ui],
  ["ai 7", sdk7, ai7],
])("a page of %s", (_, sdk, ui) => {
  test("is asked for the approval in the SDK's own way, and has the result when the decision point has it, too", async () => {
    const { paused, reply, answer, ran } = await chat(sdk, ui);
    expect(partOf(paused)).toMatchObject({ state: "approval-requested", approval: { id: expect.any(String) as unknown } });
    await answer("approve");
    expect(partOf(await reply())).toMatchObject({ state: "output-available", output: "paid" });
    expect(ran).toEqual([{ to: "c1", amount: 5 }]);
  });

  test("that approves by itself gets nothing run", async () => {
    const { reply, ran } = await chat(sdk, ui);
    expect(partOf(await reply())).toMatchObject({ state: "output-error" });
    expect(ran).toEqual([]);
  });

  test("that changes what was approved gets nothing run", async () => {
    const { reply, answer, ran } = await chat(sdk, ui);
    await answer("approve");
    expect(partOf(await reply({ input: { to: "c1", amount: 99_999 } }))).toMatchObject({ state: "output-error" });
    expect(ran).toEqual([]);
  });

  test("that sends its reply twice gets it run once", async () => {
    const { reply, answer, ran } = await chat(sdk, ui);
    await answer("approve");
    await reply();
    expect(partOf(await reply())).toMatchObject({ state: "output-error" });
    expect(ran).toHaveLength(1);
  });
});
