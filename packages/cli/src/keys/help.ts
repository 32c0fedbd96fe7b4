export const KEYS_HELP = `ambit keys: keys that issue and hold chains

Usage
  ambit keys new [--alg Ed25519|ES256] [--out FILE] [--json]
  ambit keys secret [--out FILE] [--json]

Options
  --alg NAME     Ed25519 (default) or ES256
  --out FILE     write the private JWK there, readable by you alone; a file that is there is never overwritten
  --json         tell what was made as JSON
  --help         show this text

\`secret\` makes what a caller of \`ambit pdp serve\` shows, and the digest that is configured there.

With --out the public JWK is on stdout and the private one only in the file. Without it the private JWK is on stdout. The thumbprint is on stderr.

Examples
  ambit keys new --out issuer.jwk > issuer.pub.jwk
  ambit keys new --alg ES256 --out agent.jwk > agent.pub.jwk
  ambit keys secret --out app.secret

Exit codes: 0 done, 2 called wrongly or not possible.
`;
