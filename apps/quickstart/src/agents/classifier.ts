import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { StructuredToolInterface } from "@langchain/core/tools";
import { createAgent, type AgentMiddleware } from "langchain";
import { z } from "zod";
import { BridgedChatModel } from "../model/chat-model.ts";

/** What the reviewer says when it hands clauses over. */
export interface ClassifyInput {
  readonly excerpt: string;
  readonly tools?: string[] | undefined;
}

export const CLASSIFY_INPUT: z.ZodType<ClassifyInput> = z.object({
  excerpt: z.string().min(1).max(20_000).describe("The clauses, word for word"),
  tools: z.array(z.string()).optional().describe("Tool ids that the classifier may use; the playbook when left out"),
});

export const CLASSIFY_DESCRIPTION = "Has clauses of a contract compared with the company's playbook by a specialist. Answers in JSON.";
export const CLASSIFIER_TOOLS: readonly string[] = ["playbook.read"];

const PROMPT = [
  "You classify clauses of contracts. Look up the company's position on automatic_renewal, notice_period and price_increase with playbook_position",
  "where the excerpt has such a clause, and compare. Answer with JSON only:",
  '{"clauses":[{"clause":"notice_period","value":180,"playbook":90,"unit":"days","risk":"high"}]} where risk is "high" or "none".',
].join(" ");

export interface ClassifierOptions {
  readonly model: LanguageModelV4;
  readonly tools: readonly StructuredToolInterface[];
  readonly middleware?: readonly AgentMiddleware[];
  /** Called before a tool runs. */
  readonly onCall?: (tool: string, input: unknown) => void;
}

/** The sub-agent, a LangChain agent. It is given the excerpt and nothing else. */
export async function classifyClauses({ model, tools, middleware = [], onCall }: ClassifierOptions, excerpt: string): Promise<string> {
  const agent = createAgent({ model: new BridgedChatModel(model), tools: [...tools], middleware: [...middleware], systemPrompt: PROMPT });
  const onlooker = {
    handleToolStart: (_: unknown, input: string, _run: string, _parent?: string, _tags?: string[], _metadata?: unknown, name = "tool") =>
      onCall?.(name, JSON.parse(input)),
  };
  const { messages } = await agent.invoke({ messages: [{ role: "user", content: `<document>${excerpt}</document>` }] }, { callbacks: [onlooker] });
  return messages.at(-1)?.text ?? "";
}
