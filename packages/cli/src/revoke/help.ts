import { SERVICE_HELP } from "../service/service.ts";

export const REVOKE_HELP: string = `ambit revoke: stop what was given out so far

Usage
  ambit revoke SCOPE [ID] --tenant ID [--reason TEXT] [--json]

Scopes
  envelope ID   an envelope, with everything derived from it
  task ID       a task, with all its parts
  session ID    everything of a sitting
  agent ID      everything that an agent holds, or that is derived from it
  delegator ID  everything on behalf of a person
  tenant        everything of the tenant

Options
  --tenant ID          the tenant that it is about
  --reason TEXT        why, for the record
${SERVICE_HELP}
  --json               tell it as JSON
  --help               show this text

What is begun afterwards is not concerned. The decision point refuses the next question, also the redemption of a grant that was given before.

Examples
  ambit revoke agent clause-classifier --tenant tenant_acme --reason "incident 7" --url https://pdp.acme.example
  ambit revoke tenant --tenant tenant_acme

Exit codes: 0 done, 1 refused, 2 called wrongly, or nobody could be asked.
`;
