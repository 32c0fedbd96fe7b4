import { signAnswer } from "@ambit/pdp";
import { usageError } from "../cli-error.ts";
import { createInputs } from "../input/inputs.ts";
import { readSigningKey } from "../input/keys.ts";
import { needed, readOptions } from "../options.ts";
import { createPaint } from "../output/paint.ts";
import { jsonText } from "../output/shown.ts";
import { openService, SERVICE_OPTIONS, type Service } from "../service/service.ts";
import type { Terminal } from "../terminal.ts";
import { approvalLine, approvalText, type ShownApproval } from "./approval-text.ts";

const OPTIONS = {
  ...SERVICE_OPTIONS,
  tenant: { type: "string" },
  all: { type: "boolean" },
  approver: { type: "string" },
  key: { type: "string" },
  json: { type: "boolean" },
} as const;

const PATH = "/ambit/v1/approvals";

/** What waits for a person, and their answers, at a decision point that is a service. */
export async function approvals(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, words } = readOptions(args, OPTIONS, 2);
  const [action = "list", id] = words;
  if (!["list", "show", "approve", "deny"].includes(action)) throw usageError("`ambit approvals` has the commands list, show, approve and deny");
  if ((action === "list") !== (id === undefined)) throw usageError(action === "list" ? "`list` takes no id" : `\`${action}\` needs the id of a request`);
  const tenant = needed(values.tenant, "tenant");
  const inputs = createInputs(terminal);
  const service = await openService(values, inputs, terminal);
  const tell = (found: ShownApproval): void =>
    terminal.out(values.json === true ? `${jsonText(found)}\n` : approvalText(found, createPaint(terminal.hasColours)));

  if (id === undefined) {
    const all = await pages(service, tenant);
    const told = values.all === true ? all : all.filter(({ status }) => status === "pending");
    if (values.json === true) terminal.out(`${jsonText({ approvals: told })}\n`);
    else terminal.out(told.length === 0 ? "nothing waits\n" : told.map(approvalLine).join(""));
    return 0;
  }
  const path = `${PATH}/${encodeURIComponent(id)}`;
  const found = (await service.get(path, { tenant_id: tenant })) as unknown as ShownApproval;
  if (action === "show") {
    tell(found);
    return 0;
  }
  const decision = action === "approve" ? "approve" : "deny";
  const { approver } = values;
  if (values.key === undefined)
    tell((await service.post(path, { tenant_id: tenant, decision, ...(approver === undefined ? {} : { approver }) })) as unknown as ShownApproval);
  else {
    const key = await readSigningKey(inputs, values.key, "key");
    const signed = await signAnswer({ request: found.id, binding: found.binding, approver: needed(approver, "approver"), decision, now: Date.now() }, key);
    tell((await service.post(path, { tenant_id: tenant, signed })) as unknown as ShownApproval);
  }
  return 0;
}

const MOST_PAGES = 100;

async function pages(service: Service, tenant: string): Promise<readonly ShownApproval[]> {
  const all: ShownApproval[] = [];
  for (let page = 0; page < MOST_PAGES; page++) {
    const last = all.at(-1);
    const answer = await service.get(PATH, { tenant_id: tenant, ...(last === undefined ? {} : { after: last.binding }) });
    const found = (answer["approvals"] ?? []) as readonly ShownApproval[];
    all.push(...found);
    if (found.length < 100) break;
  }
  return all;
}
