import { randomUUID } from "node:crypto";
import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from "@langchain/core/messages";
import { createAgent, fakeModel, tool } from "langchain";
import { expect } from "vitest";
import { z } from "zod";
import { protect } from "../../src/index.ts";
import { enforcement, type FakePdp } from "./fake-pdp.ts";

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly args: Record<string, unknown>;
}

export const RECORDS = [{ id: "contract_1" }, { id: "contract_2" }, { id: "contract_3" }];

/** Three contracts, whatever is asked; `ran` is what the tool was run with. */
export function contractsTool() {
  const ran: unknown[] = [];
  const read = tool(
    async (input) => {
      ran.push(input);
      return JSON.stringify({ records: RECORDS });
    },
    {
      name: "contracts_read",
      description: "Reads the contracts of a customer.",
      schema: z.object({ customer_id: z.string().transform((id) => id.trim()), limit: z.number().default(10) }),
    },
  );
  return { ran, read };
}

/** A model that makes these calls, turn by turn, and then none. */
export function callingModel(...turns: readonly (readonly Call[])[]) {
  const model = fakeModel();
  // With ids of their own: a graph in which several models speak takes two messages of one id for one.
  const say = (calls: readonly Call[]) =>
    model.respond(new AIMessage({ id: randomUUID(), content: "done", tool_calls: calls.map((call) => ({ ...call, type: "tool_call" as const })) }));
  for (const calls of turns) say(calls);
  return say([]);
}

/** A real agent in front of `pdp`; answers what the model saw of its calls. */
export async function run(pdp: FakePdp, options: Omit<Parameters<typeof protect>[1], "envelope">, ...turns: readonly (readonly Call[])[]) {
  const { pep, task } = await enforcement(pdp);
  const model = callingModel(...turns);
  const agent = createAgent({ model, ...protect(pep, { ...options, envelope: task }) });
  await agent.invoke({ messages: [new HumanMessage("go")] });
  return { model, shown: toolMessages(model.calls.at(-1)?.messages) };
}

export function toolMessages(messages: readonly BaseMessage[] = []): readonly ToolMessage[] {
  return messages.filter((message) => ToolMessage.isInstance(message));
}

/** Matches the only thing that a model may see of a refused call. */
export function refused(code: string, id = "call-1") {
  return expect.objectContaining({
    status: "error",
    tool_call_id: id,
    content: expect.toSatisfy((text: string) => {
      const { error, ...rest } = JSON.parse(text) as { error: Record<string, unknown> };
      return Object.keys(rest).length === 0 && error["code"] === code && Object.keys(error).join() === "code,message,decisionId,retryable";
    }),
  });
}
