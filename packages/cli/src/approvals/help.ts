import { SERVICE_HELP } from "../service/service.ts";

export const APPROVALS_HELP: string = `ambit approvals: see what waits for a person, and answer

Usage
  ambit approvals list --tenant ID [--all]
  ambit approvals show ID --tenant ID
  ambit approvals approve ID --tenant ID [--approver ID] [--key FILE]
  ambit approvals deny ID --tenant ID [--approver ID] [--key FILE]

Options
  --tenant ID          the tenant that it is about
  --all                also those that are answered or have expired
  --approver ID        who answers; with a token of your own, you do
  --key FILE           your private JWK: the answer is signed with it, for exactly what is shown
${SERVICE_HELP}
  --json               tell it as JSON
  --help               show this text

An answer is for one call: these arguments, this agent, this task. It is used once, and everything else is asked again when the call comes back.
The id is a digest of all that \`show\` shows above the arguments, and of these: it is computed anew here, and a service that shows something else is
not believed (\`approval_invalid\`). Budgets and answers are as the service says.

Examples
  ambit approvals list --tenant tenant_acme --url https://pdp.acme.example
  ambit approvals approve apr_bKx0eV3yJ2nQ.1 --tenant tenant_acme --approver user_7f3a91 --key me.jwk

Exit codes: 0 done, 1 refused, 2 called wrongly, or nobody could be asked.
`;
