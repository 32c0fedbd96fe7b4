import { tool, type ToolSet } from "ai";
import { CLASSIFIER_TOOLS, CLASSIFY_DESCRIPTION, CLASSIFY_INPUT, classifyClauses } from "../agents/classifier.ts";
import { review, type OnStep, type Review } from "../agents/reviewer.ts";
import { createToolbox } from "../agents/toolbox.ts";
import type { Models } from "../model/models.ts";
import type { ReviewSubject } from "../model/review-plan.ts";
import type { Servers } from "./servers.ts";

/** Who looks on. */
export interface Onlooker {
  /** Called before a tool runs. */
  readonly onCall?: (agent: string, tool: string, input: unknown) => void;
  readonly onStep?: OnStep;
}

/** The review as it is usually wired: every tool that somebody may need, and whoever asks gets it. */
export async function runUnprotected(models: Models, subject: ReviewSubject, servers: Servers, { onCall, onStep }: Onlooker = {}): Promise<Review> {
  const toolbox = createToolbox(servers.crm);
  const classify = tool({
    description: CLASSIFY_DESCRIPTION,
    inputSchema: CLASSIFY_INPUT,
    execute: ({ excerpt, tools = CLASSIFIER_TOOLS }) =>
      classifyClauses(
        { model: models.classifier, tools: tools.flatMap((id) => toolbox.get(id) ?? []), onCall: (name, input) => onCall?.("clause-classifier", name, input) },
        excerpt,
      ),
  });
  const tools: ToolSet = { ...(await servers.crm.tools()), ...(await servers.files.tools()), classify_clauses: classify };
  return review(models.reviewer, subject, { tools, onStep, onCall: (name, input) => onCall?.("renewal-reviewer", name, input) });
}
