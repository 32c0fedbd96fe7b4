import { usageError } from "../cli-error.ts";
import { createInputs } from "../input/inputs.ts";
import { needed, readOptions } from "../options.ts";
import { jsonText, shown } from "../output/shown.ts";
import { openService, SERVICE_OPTIONS } from "../service/service.ts";
import type { Terminal } from "../terminal.ts";

const OPTIONS = { ...SERVICE_OPTIONS, tenant: { type: "string" }, reason: { type: "string" }, json: { type: "boolean" } } as const;
const SCOPES = ["envelope", "task", "session", "agent", "delegator", "tenant"];

/** Revokes what was given out so far, at a decision point that is a service. */
export async function revoke(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, words } = readOptions(args, OPTIONS, 2);
  const [scope = "", id] = words;
  if (!SCOPES.includes(scope)) throw usageError(`name what is to be stopped: ${SCOPES.join(", ")}`);
  if ((scope === "tenant") !== (id === undefined)) throw usageError(scope === "tenant" ? "`tenant` has no id beside `--tenant`" : `\`${scope}\` needs an id`);
  const tenant = needed(values.tenant, "tenant");
  const { reason } = values;
  const service = await openService(values, createInputs(terminal), terminal);
  const asked = { tenant_id: tenant, scope, ...(id === undefined ? {} : { id }), ...(reason === undefined ? {} : { reason }) };
  const answer = await service.post("/ambit/v1/revoke", asked);
  terminal.out(
    values.json === true ? `${jsonText(answer)}\n` : `revoked: ${scope === "tenant" ? "everything" : `${scope} ${shown(id)}`} of ${shown(tenant)}\n`,
  );
  return 0;
}
