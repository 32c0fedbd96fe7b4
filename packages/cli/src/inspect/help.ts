export const INSPECT_HELP = `ambit inspect: show what a chain says

Usage
  ambit inspect FILE|- [--now TIME] [--json]

Shows for every token who gave what to whom, what the hop narrowed, and the time left. It needs no key and VERIFIES NOTHING: anybody can
write such a chain. \`ambit verify\` tells whether it holds.

FILE is {"aat_chain": […]}, a list of tokens, or the tokens themselves.

Options
  --now TIME     what time left is counted from, as 2026-05-12T18:00:00Z
  --json         the same as JSON
  --help         show this text

Examples
  ambit inspect chain.json
  pbpaste | ambit inspect - --json

Exit codes: 0 shown, 1 a token cannot be read, 2 called wrongly or the file cannot be read.
`;
