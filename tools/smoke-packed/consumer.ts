// What a first user types, type-checked and run against the packed packages by tools/smoke-packed.mjs. Frameworks are only named as types here.
import assert from "node:assert/strict";
import { createPep, type Enforced, type Pep, type Task } from "@ambit/core";
import { verifyLog } from "@ambit/core/audit";
import * as graph from "@ambit/core/graph";
import { createPdp, type PdpConfig } from "@ambit/pdp";
import * as cedar from "@ambit/pdp/cedar";
import { protect as protectAiSdk } from "@ambit/ai-sdk";
import { protect as protectLangChain } from "@ambit/langchain";
import { protect as protectMcp } from "@ambit/mcp";
import { sealedFile } from "@ambit/gateway/vault";
import { inferManifest } from "@ambit/cli/infer";

const readNote = {
  names: [{ name: "read_note", pin: "none" }],
  input_schema: { type: "object", properties: { id: { type: "string" } }, required: ["id"], additionalProperties: false },
  effect: "read",
  constraints: {},
  records: "none",
  data_classes: ["note"],
  output: "trusted",
  sends_outside: false,
};
const config: PdpConfig = {
  manifest: { tools: { "notes.read": readNote, "notes.delete": { ...readNote, names: [{ name: "delete_note", pin: "none" }], effect: "destructive" } } },
  agents: { agents: { reader: { trust_zone: "first_party", ceiling: "none" } } },
  purposes: { purposes: { look_up: { parent: null, description: "look something up", tools: ["notes.read", "notes.delete"] } } },
  policies: [{ name: "reads.cedar", text: 'permit (principal, action in [Action::"ambit:begin", Action::"effect:read"], resource);' }],
  log: "decisions.jsonl",
  state: "memory",
  approvals: "none",
};

const pdp = await createPdp(config);
const pep: Pep = createPep({ pdp, agent: "reader" });
const task: Task = await pep.begin({
  delegatorId: "user_1",
  tenantId: "tenant_1",
  purpose: "look_up",
  allowedTools: ["notes.read", "notes.delete"],
  resourceConstraints: { data_classes: ["note"] },
  expiresIn: "1m",
});

const ran: string[] = [];
const call = (tool: string): Promise<Enforced<string>> =>
  pep.enforce({ envelope: task, tool, arguments: { id: "n1" } }, ({ id }) => {
    ran.push(`${tool} ${String(id)}`);
    return "the note";
  });
const permitted = await call("read_note");
const denied = await call("delete_note");
await task.end();
const late = await call("read_note");
await pdp.close();

assert.equal(permitted.refused === undefined && permitted.result, "the note");
assert.equal(denied.refused?.refusal.code, "policy_denied");
assert.equal(late.refused?.refusal.code, "envelope_revoked");
assert.deepEqual(ran, ["read_note n1"]);
const log = verifyLog(await (await import("node:fs/promises")).readFile("decisions.jsonl", "utf8"));
assert.ok(log.intact);
for (const part of [protectAiSdk, protectLangChain, protectMcp, sealedFile, inferManifest]) assert.equal(typeof part, "function");
for (const part of [graph, cedar]) assert.equal(typeof part, "object");
console.log(`a permit, a deny and ${log.records.length} records, from the packed packages`);
