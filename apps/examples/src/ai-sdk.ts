// An agent of the AI SDK that may read one contract, and asks for two.
import assert from "node:assert/strict";
import { protect, ToolRefusedError } from "@ambit/ai-sdk";
import { createPep } from "@ambit/core";
import { createPdp } from "@ambit/pdp";
import { generateText, isStepCount, tool } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { z } from "zod";

// What a model would answer: it asks for both contracts at once, and is done.
const usage = { inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 }, outputTokens: { total: 1, text: 1, reasoning: 0 } };
const calls = ["contract_7781", "contract_9"].map((contract_id) => {
  return { type: "tool-call", toolCallId: contract_id, toolName: "contracts_read", input: JSON.stringify({ contract_id }) } as const;
});
const model = new MockLanguageModelV4({
  doGenerate: [
    { content: calls, finishReason: { unified: "tool-calls", raw: undefined }, usage, warnings: [] },
    { content: [{ type: "text", text: "They renew in July." }], finishReason: { unified: "stop", raw: undefined }, usage, warnings: [] },
  ],
});

const pdp = await createPdp(new URL("../config/ambit.config.json", import.meta.url));
const pep = createPep({ pdp, agent: "renewal-reviewer" });
const task = await pep.begin({
  delegatorId: "user_7f3a91",
  tenantId: "tenant_acme",
  purpose: "review_customer_contract_for_renewal_risk",
  allowedTools: ["contracts.read"],
  resourceConstraints: { contract_ids: ["contract_7781"] },
  expiresIn: "10m",
});

const contracts_read = tool({
  description: "Reads a contract",
  inputSchema: z.object({ contract_id: z.string() }),
  execute: async ({ contract_id }) => ({ contract_id, renews: "2026-07-01" }),
});

const { steps } = await generateText({
  model,
  prompt: "When do our contracts renew?",
  stopWhen: isStepCount(5),
  ...protect(pep, { tools: { contracts_read }, envelope: task }),
});
const parts = steps.flatMap((step) => step.content);
const granted = parts.flatMap((part) => (part.type === "tool-result" ? [part.output] : []));
const refused = parts.flatMap((part) => (part.type === "tool-error" && ToolRefusedError.isInstance(part.error) ? [part.error.refusal.error.code] : []));

assert.deepEqual(granted, [{ contract_id: "contract_7781", renews: "2026-07-01" }]);
assert.deepEqual(refused, ["argument_not_allowed"]);
await task.end();
await pdp.close();
console.log("one contract was read, the other was refused");
