export const STATE_HELP = `ambit state: the state that decision points share

Usage
  ambit state migrate [--config FILE] [--check] [--json]

Options
  --config FILE  the configuration whose \`state\` is meant (default: ambit.config.json)
  --check        only tell what is missing, and change nothing
  --json         tell it as JSON
  --help         show this text

Brings an SQLite file or a PostgreSQL schema up to date, with everything that is kept there: state, documents and tuples of relations; memory and Redis have none. A decision
point does so itself when it starts: this is for who starts it without the right to create tables. Safe while decision points run and when it runs twice at the same time.

Examples
  ambit state migrate --config ambit.config.json
  ambit state migrate --check || echo "not up to date"

Exit codes: 0 up to date, 1 steps are missing (--check), 2 called wrongly or not possible.
`;
