import { SERVICE_HELP } from "../service/service.ts";

export const CALLS_HELP: string = `ambit calls: see which calls nobody knows the end of, and settle them

Usage
  ambit calls list --tenant ID
  ambit calls done ENVELOPE CALL --tenant ID [--used UNIT=AMOUNT] [--reason TEXT] [--force]
  ambit calls not_run ENVELOPE CALL --tenant ID [--reason TEXT] [--force]

Options
  --tenant ID          the tenant that it is about
  --used UNIT=AMOUNT   with \`done\`: what was really used, in whole (minor) units; may be repeated; default: all that was reserved
  --reason TEXT        how you know, for the record
  --force              also a call that was started less than 15 minutes ago: you know that it runs no longer
${SERVICE_HELP}
  --json               tell it as JSON
  --help               show this text

A call that was started holds what it reserved until somebody says how it ended. \`unknown\`: whoever ran it cannot tell; \`running\`: nothing was heard of it since.
\`done\` keeps what was used; \`not_run\` gives everything back, and the call may be asked again. Either is said once; the same again changes nothing. Calls stay on the
list until 30 days after the last envelope of their task has expired.

Examples
  ambit calls list --tenant tenant_acme --url https://pdp.acme.example
  ambit calls done env_7Jq2 env_7Jq2/3/call_8 --tenant tenant_acme --used money/EUR=1250 --reason "the bank shows the payment"
  ambit calls not_run env_7Jq2 env_7Jq2/3/call_9 --tenant tenant_acme --force

Exit codes: 0 done, 1 refused, 2 called wrongly, or nobody could be asked.
`;
