import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonObject } from "@ambit/core";
import { CONTRACT, CUSTOMER, QUARTERS } from "../src/crm/seed.ts";
import { CLASSIFY_PLAN } from "../src/model/classify-plan.ts";
import type { Call, Conversation } from "../src/model/conversation.ts";
import { gullible } from "../src/model/gullible.ts";
import { reviewPlan } from "../src/model/review-plan.ts";

interface Message {
  readonly role: string;
  readonly content: string | readonly { readonly text?: string }[] | null;
  readonly tool_call_id?: string;
  readonly tool_calls?: readonly { readonly id: string; readonly function: { readonly name: string; readonly arguments: string } }[];
}

export interface Endpoint extends AsyncDisposable {
  readonly url: string;
  readonly authorizations: ReadonlySet<string | undefined>;
}

/** An OpenAI-compatible endpoint whose model is the gullible script. */
export async function startEndpoint(): Promise<Endpoint> {
  const authorizations = new Set<string | undefined>();
  const server = createServer((request, response) => {
    authorizations.add(request.headers.authorization);
    void bodyOf(request).then((body) => response.setHeader("content-type", "application/json").end(JSON.stringify(complete(body))));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/v1`, authorizations, [Symbol.asyncDispose]: async () => void server.close() };
}

async function bodyOf(request: IncomingMessage): Promise<{ readonly messages: readonly Message[] }> {
  let text = "";
  for await (const part of request) text += String(part);
  return JSON.parse(text) as { readonly messages: readonly Message[] };
}

function complete({ messages }: { readonly messages: readonly Message[] }): object {
  const conversation = conversationOf(messages);
  const guide = /The guide is (\S+)\./.exec(conversation.prompt)?.[1];
  const plan = guide === undefined ? CLASSIFY_PLAN : reviewPlan({ customerId: CUSTOMER, contractId: CONTRACT, quarters: QUARTERS, guide });
  const turn = gullible(plan)(conversation);
  const message =
    "text" in turn
      ? { role: "assistant", content: turn.text }
      : {
          role: "assistant",
          content: null,
          tool_calls: turn.calls.map(({ id, tool, input }) => ({ id, type: "function", function: { name: tool, arguments: JSON.stringify(input) } })),
        };
  return {
    id: "1",
    object: "chat.completion",
    created: 0,
    model: "test-model",
    choices: [{ index: 0, message, finish_reason: "text" in turn ? "stop" : "tool_calls" }],
  };
}

function conversationOf(messages: readonly Message[]): Conversation {
  const calls = new Map<string, Call>(
    messages
      .flatMap(({ tool_calls = [] }) => tool_calls)
      .map(({ id, function: { name, arguments: args } }) => [id, { id, tool: name, input: JSON.parse(args) as JsonObject }]),
  );
  return {
    prompt: messages
      .filter(({ role }) => role === "user")
      .map(textOf)
      .join("\n"),
    seen: messages.flatMap((message) => {
      const call = calls.get(message.tool_call_id ?? "");
      return call === undefined ? [] : [{ call, text: textOf(message) }];
    }),
  };
}

/** The provider sends the parts of a tool result as their JSON. */
function textOf({ role, content }: Message): string {
  const parts = role === "tool" && typeof content === "string" && content.startsWith("[") ? (JSON.parse(content) as Message["content"]) : content;
  return typeof parts === "string" ? parts : (parts ?? []).map(({ text = "" }) => text).join("\n");
}
