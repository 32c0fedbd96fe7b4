export const VAULT_HELP: string = `ambit vault: the credentials of end services, in one sealed file

Usage
  ambit vault set --tenant ID --connector ID --id ID KEY
  ambit vault list KEY [--json]
  ambit vault rotate KEY NEW_KEY
  ambit vault rotate --tenant ID --connector ID --id ID KEY
  ambit vault remove --tenant ID --connector ID --id ID KEY

The value is read from stdin, without the line break at its end, or asked for on a terminal. It is never an argument and never shown.

Options
  --file FILE              the vault; default ambit.vault
  --tenant ID              whose secret it is
  --connector ID           for which end service
  --id ID                  which of that service's
  --minimum-version N      refuse a vault that was changed fewer times: an older copy
  --json                   tell it as JSON; no values here either
  --help                   show this text

KEY is what opens the vault, one of
  --key-file FILE          a key that its owner alone can read, as \`ambit keys secret --out FILE\` makes it
  --key-command COMMAND    a program that prints such a key: of a keyring, or of a service
  --passphrase-file FILE   a passphrase, without the line break at its end
  --passphrase             a passphrase that is asked for

NEW_KEY is --new-key-file, --new-key-command, --new-passphrase-file or --new-passphrase. With it, \`rotate\` wraps the keys of all secrets anew, and the former key opens
nothing any more; without it, one secret is sealed anew under a key of its own that is new.

Examples
  ambit keys secret --out vault.key
  ambit vault set --tenant tenant_acme --connector crm --id api_key --key-file vault.key < crm.token
  ambit vault list --key-command "secret-tool lookup application ambit"
  ambit vault rotate --key-file vault.key --new-key-file next.key

Exit codes: 0 done, 1 refused, the vault does not open, or there is no such secret; 2 called wrongly.
`;
