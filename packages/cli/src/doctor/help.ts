export const DOCTOR_HELP = `ambit doctor: what of an application can act without a decision

Usage
  ambit doctor FILE... [--json] [--timeout SECONDS]

Each FILE is a module of the application, in JavaScript or TypeScript, that exports \`coverage\`: what the \`coverage\` of an adapter answers, a
list of such answers, a promise of either, or a function that returns one of these. It runs in a thread of its own, with all that the application
may do; what it prints goes to stderr, and it is stopped when it has answered.

Lists every tool, server, agent and provider tool that was found: what covers it, or that it is open, and what to do about it.

Options
  --timeout SECONDS  how long one file may take; default 60
  --json             the same as JSON
  --help             show this text

Examples
  ambit doctor ambit.coverage.ts
  ambit doctor agents/coverage.js servers/coverage.js --json

where ambit.coverage.ts is such as
  import { coverage as mcp } from "@ambit/mcp";
  import { crm } from "./clients.ts";
  export const coverage = () => mcp({ crm });

TypeScript needs a Node that strips types: 22.18 or later.

Exit codes: 0 everything is covered, 1 something is open or nothing was found, 2 called wrongly, or a file has no coverage that can be read.
`;
