import { usageError } from "../cli-error.ts";
import { printable } from "../infer/printable.ts";
import { createInputs } from "../input/inputs.ts";
import { needed, readOptions } from "../options.ts";
import { jsonText, shown } from "../output/shown.ts";
import { openService, SERVICE_OPTIONS, type Service } from "../service/service.ts";
import type { Terminal } from "../terminal.ts";

const OPTIONS = {
  ...SERVICE_OPTIONS,
  tenant: { type: "string" },
  used: { type: "string", multiple: true },
  reason: { type: "string" },
  force: { type: "boolean" },
  json: { type: "boolean" },
} as const;

const PATH = "/ambit/v1/calls";

/** A call as the service shows it. */
interface ShownCall {
  readonly envelope_id: string;
  readonly call_id: string;
  readonly tool: string;
  readonly state: string;
  readonly started_at: string;
  readonly reserved: Readonly<Record<string, number>>;
}

/** Calls of which nobody knows how they ended, at a decision point that is a service, and what a person found out about them. */
export async function calls(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, words } = readOptions(args, OPTIONS, 3);
  const [action = "list", envelope, call] = words;
  if (!["list", "done", "not_run"].includes(action)) throw usageError("`ambit calls` has the commands list, done and not_run");
  if (action === "list" ? envelope !== undefined : call === undefined)
    throw usageError(action === "list" ? "`list` takes no id" : `\`${action}\` needs the ids of an envelope and of a call`);
  const used = (values.used ?? []).map(amountOf);
  if (used.length > 0 && action !== "done") throw usageError("`--used` goes with `done`");
  const tenant = needed(values.tenant, "tenant");
  const service = await openService(values, createInputs(terminal), terminal);
  const isJson = values.json === true;

  if (action === "list") {
    const all = await pages(service, tenant);
    if (isJson) terminal.out(`${jsonText({ calls: all })}\n`);
    else terminal.out(all.length === 0 ? "nothing waits\n" : all.map(callLine).join(""));
    return 0;
  }
  const { reason, force } = values;
  const answer = await service.post(`${PATH}/reconcile`, {
    tenant_id: tenant,
    envelope_id: envelope,
    call_id: call,
    outcome: action,
    ...(used.length === 0 ? {} : { used: Object.fromEntries(used) }),
    ...(reason === undefined ? {} : { reason }),
    ...(force === true ? { force } : {}),
  });
  const rest = action === "done" ? "what it used is spent" : "what it held is given back";
  terminal.out(isJson ? `${jsonText(answer)}\n` : `${action}: ${shown(call)} of ${shown(tenant)}; ${rest}\n`);
  return 0;
}

function amountOf(text: string): readonly [unit: string, amount: number] {
  const at = text.lastIndexOf("=");
  const amount = text.slice(at + 1);
  if (at < 1 || !/^[0-9]{1,15}$/.test(amount)) throw usageError("`--used` is a unit and a whole amount, as money/EUR=1250");
  return [text.slice(0, at), Number(amount)];
}

/** One call on a line of its own, its names first, as they are given to `done` and `not_run`. */
function callLine({ envelope_id, call_id, tool, state, started_at, reserved }: ShownCall): string {
  const holds = Object.entries(reserved).map(([unit, amount]) => `${shown(unit)}=${shown(amount)}`);
  const names = `${shown(envelope_id)} ${shown(call_id)}`;
  return `${names}  ${printable(state, 16)}  ${shown(tool)}  since ${shown(started_at)}, holds ${holds.length === 0 ? "nothing" : holds.join(", ")}\n`;
}

const MOST_PAGES = 100;

async function pages(service: Service, tenant: string): Promise<readonly ShownCall[]> {
  const all: ShownCall[] = [];
  for (let page = 0; page < MOST_PAGES; page++) {
    const last = all.at(-1);
    const after = last === undefined ? {} : { after_envelope_id: last.envelope_id, after_call_id: last.call_id };
    const answer = await service.get(PATH, { tenant_id: tenant, ...after });
    const found = (answer["calls"] ?? []) as readonly ShownCall[];
    all.push(...found);
    if (found.length < 100) break;
  }
  return all;
}
