import { setTimeout as sleep } from "node:timers/promises";
import { createPep, type Pdp, type Pep, type Task } from "@ambit/core";
import { protect as protectTools } from "@ambit/ai-sdk";
import { protect as protectSubAgent } from "@ambit/langchain";
import { protect as protectTransport } from "@ambit/mcp";
import type { ToolSet } from "ai";
import { CLASSIFIER_TOOLS, CLASSIFY_DESCRIPTION, CLASSIFY_INPUT, classifyClauses } from "../agents/classifier.ts";
import { review, type OnStep, type Review } from "../agents/reviewer.ts";
import { createToolbox } from "../agents/toolbox.ts";
import type { Models } from "../model/models.ts";
import type { ReviewSubject } from "../model/review-plan.ts";
import { reviewEnvelope } from "./review-envelope.ts";
import { startServers, type Servers } from "./servers.ts";
import { within } from "./within.ts";
import type { Workspace } from "./workspace.ts";

export interface ProtectedRun {
  readonly pdp: Pdp;
  readonly models: Models;
  readonly subject: ReviewSubject;
  readonly workspace: Workspace;
  readonly onStep?: OnStep;
  /** Called before each part of the run, with the task that it runs under. */
  readonly onPart?: (part: RunPart, task: Task) => void;
}

/** The review itself; then one call each after the task has ended, under an envelope that is good for a moment, and after that moment. */
export type RunPart = "review" | "ended" | "short" | "expired";

/** Long enough for one call, short enough to wait for. */
const MOMENT = 1500;

/** The same review, with Ambit before every tool. */
export async function runProtected(run: ProtectedRun): Promise<Review> {
  const pep = createPep({ pdp: run.pdp, agent: "renewal-reviewer" });
  return within(await pep.begin(reviewEnvelope(run.subject, run.workspace)), async (task) =>
    within(await startServers(run.workspace, (transport) => protectTransport(pep, { transport, server: "files", envelope: task })), (servers) =>
      reviewAndAfter(run, pep, task, servers),
    ),
  );
}

async function reviewAndAfter({ models, subject, workspace, onStep, onPart }: ProtectedRun, pep: Pep, task: Task, servers: Servers): Promise<Review> {
  onPart?.("review", task);
  const tools = await protectedTools(pep, task, models, servers);
  const reviewed = await review(models.reviewer, subject, { tools, onStep });

  await task.end();
  onPart?.("ended", task);
  await readContract(tools, subject, "after-the-end");

  await within(await pep.begin({ ...reviewEnvelope(subject, workspace), expiresIn: MOMENT }), async (short) => {
    const shortTools = await protectedTools(pep, short, models, servers);
    onPart?.("short", short);
    await readContract(shortTools, subject, "in-time");
    await sleep(Math.max(0, short.envelope.expiresAt - Date.now()) + 20);
    onPart?.("expired", short);
    await readContract(shortTools, subject, "too-late");
  });
  return reviewed;
}

async function protectedTools(pep: Pep, task: Task, models: Models, servers: Servers): Promise<ToolSet> {
  const toolbox = createToolbox(servers.crm);
  const decided = protectTools(pep, {
    envelope: task,
    tools: await servers.crm.tools(),
    handOffs: {
      classify_clauses: {
        description: CLASSIFY_DESCRIPTION,
        inputSchema: CLASSIFY_INPUT,
        to: ({ excerpt, tools = CLASSIFIER_TOOLS }) => ({
          agentId: "clause-classifier",
          purpose: "classify_contract_clauses",
          allowedTools: tools,
          resourceConstraints: { data_classes: ["renewal_terms"] },
          data: [{ label: "renewal section", dataClasses: ["renewal_terms"], data: excerpt }],
        }),
        run: ({ pep: classifier, task: child, input }) =>
          classifyClauses({ model: models.classifier, ...protectSubAgent(classifier, { envelope: child, tools: [...toolbox.values()] }) }, input.excerpt),
      },
    },
  });
  // The calls of these are decided in the file server's transport, whoever makes them.
  return { ...decided.tools, ...(await servers.files.tools()) };
}

/** What a part of the application does that has kept the tools. A refusal is thrown; here it ends nothing, since the log has it. */
async function readContract(tools: ToolSet, { contractId }: ReviewSubject, toolCallId: string): Promise<void> {
  const input = { contract_id: contractId };
  await Promise.resolve(tools["contracts_read"]?.execute?.(input, { toolCallId, messages: [], context: undefined })).catch(() => undefined);
}
