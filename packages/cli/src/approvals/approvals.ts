import { AmbitError } from "@ambit/core";
import { readApproval, signAnswer, type Approval } from "@ambit/pdp";
import { CliError, usageError } from "../cli-error.ts";
import { createInputs } from "../input/inputs.ts";
import { readSigningKey } from "../input/keys.ts";
import { needed, readOptions } from "../options.ts";
import { createPaint } from "../output/paint.ts";
import { jsonText } from "../output/shown.ts";
import { openService, SERVICE_OPTIONS, type Service } from "../service/service.ts";
import type { Terminal } from "../terminal.ts";
import { approvalLine, approvalText } from "./approval-text.ts";

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
  const tell = ({ json, approval }: Shown): void =>
    terminal.out(values.json === true ? `${jsonText(json)}\n` : approvalText(approval, createPaint(terminal.hasColours)));

  if (id === undefined) {
    const all = await pages(service, tenant);
    const told = values.all === true ? all : all.filter(({ approval }) => approval.status === "pending");
    if (values.json === true) terminal.out(`${jsonText({ approvals: told.map(({ json }) => json) })}\n`);
    else terminal.out(told.length === 0 ? "nothing waits\n" : told.map(({ approval }) => approvalLine(approval)).join(""));
    return 0;
  }
  const path = `${PATH}/${encodeURIComponent(id)}`;
  const found = shownAs(await service.get(path, { tenant_id: tenant }), tenant, id);
  if (action === "show") {
    tell(found);
    return 0;
  }
  const decision = action === "approve" ? "approve" : "deny";
  const { approver } = values;
  let answer: object = { decision, ...(approver === undefined ? {} : { approver }) };
  if (values.key !== undefined) {
    const key = await readSigningKey(inputs, values.key, "key");
    const named = needed(approver, "approver");
    // INVARIANT I5: what is signed is what is on the screen.
    if (values.json !== true) tell(found);
    answer = { signed: await signAnswer({ approval: found.approval, approver: named, decision, now: Date.now() }, key) };
  }
  tell(shownAs(await service.post(path, { tenant_id: tenant, ...answer }), tenant, id));
  return 0;
}

interface Shown {
  readonly json: unknown;
  readonly approval: Approval;
}

/** What the service shows, which is not believed: a request that is not the one with this id, or about something else than its id says, is refused (`approval_invalid`). */
function shownAs(json: unknown, tenant: string, id?: string): Shown {
  try {
    const approval = readApproval(json);
    if ((id === undefined || approval.id === id) && approval.request.tenantId === tenant) return { json, approval };
  } catch (error) {
    if (!AmbitError.isInstance(error)) throw error;
    throw new CliError(error.code, `the service shows what it was not asked for: ${error.summary}`, { cause: error });
  }
  throw new CliError("approval_invalid", "the service shows another request than it was asked for");
}

const MOST_PAGES = 100;

async function pages(service: Service, tenant: string): Promise<readonly Shown[]> {
  const all: Shown[] = [];
  for (let page = 0; page < MOST_PAGES; page++) {
    const last = all.at(-1);
    const answer = await service.get(PATH, { tenant_id: tenant, ...(last === undefined ? {} : { after: last.approval.id }) });
    const found = Array.isArray(answer["approvals"]) ? (answer["approvals"] as readonly unknown[]) : [];
    all.push(...found.map((one) => shownAs(one, tenant)));
    if (found.length < 100) break;
  }
  return all;
}
