export const INIT_HELP = `ambit init: write a first configuration

Usage
  ambit init --app FILE
  ambit init --mcp COMMAND [--server NAME] [--env VARIABLE]…
  ambit init --mcp-url URL [--server NAME]
  ambit init --tools FILE [--server NAME]
  ambit init --observed LOG [--config FILE] [--dir FOLDER]

Where the tools are described (one of)
  --app FILE         load a module of your application that exports \`tools\`: those of LangChain, or of the AI SDK
  --mcp COMMAND      start an MCP server and ask it (without a shell; quotes group words)
  --mcp-url URL      ask a running MCP server (Streamable HTTP)
  --tools FILE       a JSON list of tools, {"tools": […]} or an OpenAPI 3 document

Options
  --server NAME      your name for the server, as adapters will give it (default: mcp; with --app and --tools: none)
  --env VARIABLE     pass an environment variable on to the server that is started; may be repeated
  --dir FOLDER       where to write (default: .)
  --agent ID         the agent to register (default: assistant)
  --purpose ID       the purpose to declare (default: use_NAME)
  --force            overwrite files
  --json             tell what was done as JSON
  --help             show this text

With --observed
  --observed LOG     the decision log of runs with \`mode: "observe"\` (or that were enforced)
  --config FILE      the configuration that they ran with (default: ambit.config.json)
  --dir FOLDER       where to write agents.json and purposes.json as they would have been enough (default: ambit.proposal)

Writes ambit.config.json, ambit.manifest.json, agents.json, purposes.json and policies/main.cedar. What a tool does is guessed from its name,
description, parameters and annotations, on the strict side. The starter policy permits reads that send nothing outside.
A proposal only takes away: tools that were permitted and used stay, and what would have been refused is listed for you to decide.

Examples
  ambit init --app src/tools.ts --agent renewal-reviewer --purpose review_contract
  ambit init --mcp "npx -y @modelcontextprotocol/server-filesystem ./data" --server files
  ambit init --mcp "github-mcp-server stdio" --env GITHUB_PERSONAL_ACCESS_TOKEN --server github --dir ./authz
  ambit init --mcp-url http://localhost:3000/mcp --server crm --agent renewal-reviewer --purpose review_contract
  ambit init --tools tools.json --json
  ambit init --observed decisions.jsonl

Exit codes: 0 done, 1 failed, 2 called wrongly.
`;
