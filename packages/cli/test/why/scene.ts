import { createPep, type BeginOptions, type Pep, type Task } from "@ambit/core";
import { readLog, type LogRecord } from "@ambit/core/audit";
import { createPdp, type EmbeddedPdp } from "@ambit/pdp";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../src/run.ts";
import { runIn, type Ran } from "../fixtures/terminal.ts";

const NOW = Date.parse("2026-05-12T18:00:00Z");
const text = { type: "string" } as const;
const tool = (name: string, more: object): object => ({
  names: [{ name, pin: "none" }],
  input_schema: { type: "object", properties: { id: text, title: text } },
  effect: "read",
  constraints: { contract_ids: "not_applicable" },
  records: "none",
  data_classes: [],
  sends_outside: false,
  ...more,
});

const TOOLS = ["contracts.read", "crm.read", "tickets.create", "mail.send"];

const CONFIG = {
  manifest: {
    tools: {
      "contracts.read": tool("contracts_read", {
        constraints: { contract_ids: { argument: "/id" } },
        records: { result: "", most: 1 },
        data_classes: ["terms"],
      }),
      "crm.read": tool("crm_read", {}),
      "tickets.create": tool("tickets_create", { effect: "write" }),
      "mail.send": tool("mail_send", { effect: "write", sends_outside: true }),
    },
  },
  agents: {
    agents: {
      reviewer: { trust_zone: "first_party", ceiling: "none" },
      classifier: { trust_zone: "third_party", ceiling: { allowed_tools: ["contracts.read", "crm.read"] } },
    },
  },
  purposes: { purposes: { review: { tools: TOOLS }, classify: { parent: "review", tools: ["contracts.read", "crm.read"] } } },
  policies: [
    {
      name: "main.cedar",
      text: `
@id("all") permit (principal, action, resource);
@id("no-mail") forbid (principal, action == Action::"mail.send", resource);`,
    },
  ],
  state: "memory",
  approvals: {},
} as const;

const BEGIN: BeginOptions = {
  delegatorId: "user_1",
  tenantId: "tenant_1",
  taskId: "task_1",
  purpose: "review",
  allowedTools: ["contracts.read", "tickets.create", "mail.send"],
  resourceConstraints: { contract_ids: ["k1"], max_records: 5 },
  expiresIn: "10m",
};

/** A folder with a decision log that a decision point really wrote. */
export interface Scene {
  readonly folder: string;
  readonly pdp: EmbeddedPdp;
  readonly pep: Pep;
  readonly observer: Pep;
  begin(change?: Partial<BeginOptions>): Promise<Task>;
  /** Calls a tool and answers with the id of the decision. */
  call(pep: Pep, task: Task, tool: string, args: object, callId?: string): Promise<string>;
  records(): Promise<readonly LogRecord[]>;
  /** Runs a command in the folder. */
  ambit(args: readonly string[], options?: { readonly columns?: number; readonly hasColours?: boolean; readonly stdin?: string }): Promise<Ran>;
  text(): Promise<string>;
  write(name: string, content: unknown): Promise<void>;
  /** Changes the text of the log. */
  edit(change: (log: string) => string): Promise<void>;
  end(): Promise<void>;
}

export async function openScene(): Promise<Scene> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "ambit-why-")));
  const log = join(folder, "decisions.jsonl");
  let time = NOW;
  const now = (): number => (time += 1000);
  const pdp = await createPdp({ ...CONFIG, log }, { now });
  const pep = createPep({ pdp, agent: "reviewer", now, deadline: 10_000 });
  return {
    folder,
    pdp,
    pep,
    observer: createPep({ pdp, agent: "reviewer", now, deadline: 10_000, mode: "observe" }),
    begin: (change) => pep.begin({ ...BEGIN, ...change }),
    call: async (caller, envelope, name, args, callId) => {
      const enforced = await caller.enforce({ envelope, tool: name, arguments: args, callId, turn: callId === undefined ? undefined : "t1" }, () => ({
        ok: "yes",
      }));
      return enforced.refused?.decisionId ?? (enforced as { readonly decisionId: string }).decisionId;
    },
    records: async () => readLog(await readFile(log)).records,
    ambit: async (args, { columns, ...options } = {}) => {
      if (columns === undefined) return runIn(folder, args, options);
      let [out, err] = ["", ""];
      const outside = { out: (part: string) => void (out += part), err: (part: string) => void (err += part), cwd: folder, env: {} };
      const stdin = (async function* (): AsyncGenerator<Uint8Array> {})();
      const exitCode = await run(args, { ...outside, stdin, hasColours: false, stopped: new Promise(() => {}), onReload: () => () => undefined, columns });
      return { exitCode, out, err };
    },
    text: () => readFile(log, "utf8"),
    write: (name, content) => writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content)),
    edit: async (change) => writeFile(log, change(await readFile(log, "utf8"))),
    end: async () => {
      await pdp.close();
      await rm(folder, { recursive: true });
    },
  };
}
