export const WHY_HELP = `ambit why: why something was decided as it was

Usage
  ambit why ID [--log FILE|-] [--json]

Tells what was asked, on whose behalf and through whose hands, the verdict and the step that failed, the evidence, what happened afterwards,
and the smallest change that would make it legal. It reads the decision log alone, verifies its chain first, says where it is broken, and
answers nevertheless.

ID is that of a decision (dec_…), an envelope (env_…), a request for approval (apr_…), a call, or of any other record.

Options
  --log FILE     the decision log; default the \`log\` of ambit.config.json in this folder, else decisions.jsonl
  --json         the same as JSON
  --help         show this text

Examples
  ambit why dec_bKx0eV3yJ2nQp1sT
  ambit why call_8 --log /var/lib/ambit/decisions.jsonl --json

Exit codes: 0 found, 1 not found, 2 called wrongly or the log cannot be read.
`;
