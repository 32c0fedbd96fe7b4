// An agent of LangChain that may read one contract, and asks for two.
import assert from "node:assert/strict";
import { createPep } from "@ambit/core";
import { protect } from "@ambit/langchain";
import { createPdp } from "@ambit/pdp";
import { AIMessage, createAgent, fakeModel, tool, ToolMessage } from "langchain";
import { z } from "zod";

// What a model would answer: it asks for both contracts at once, and is done.
const calls = ["contract_7781", "contract_9"].map((contract_id, index) => ({ name: "contracts_read", args: { contract_id }, id: `call_${index}` }));
const model = fakeModel().respondWithTools(calls).respond(new AIMessage("They renew in July."));

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

const readContract = tool(async ({ contract_id }) => ({ contract_id, renews: "2026-07-01" }), {
  name: "contracts_read",
  description: "Reads a contract",
  schema: z.object({ contract_id: z.string() }),
});

const agent = createAgent({ model, ...protect(pep, { tools: [readContract], envelope: task }) });
const { messages } = await agent.invoke({ messages: [{ role: "user", content: "When do our contracts renew?" }] });
const [granted, refused] = messages.filter((message) => ToolMessage.isInstance(message));

assert.equal(granted?.text, '{"contract_id":"contract_7781","renews":"2026-07-01"}');
assert.equal(refused?.status, "error");
assert.equal(JSON.parse(refused.text).error.code, "argument_not_allowed");
await task.end();
await pdp.close();
console.log("one contract was read, the other was refused");
