export const REPORT_HELP = `ambit report: what a decision log says, in figures

Usage
  ambit report [--log FILE|-] [--json]

Counts calls by task, agent and tool; shows what envelopes granted beside what was used of it, the codes of what was refused with a decision
to ask \`ambit why\` about, and what would be refused of a run that was only observed (\`mode: "observe"\`), with the change that
makes each call legal. The chain of the log is verified first.

Options
  --log FILE     the decision log; default the \`log\` of ambit.config.json in this folder, else decisions.jsonl
  --json         the same as JSON, with every task, agent and tool
  --help         show this text

Examples
  ambit report
  ambit report --log /var/lib/ambit/decisions.jsonl --json

Exit codes: 0 shown, 1 shown, and the chain of the log is broken, 2 called wrongly or the log cannot be read.
`;
