export const MINT_HELP = `ambit mint: issue the root of a chain

Usage
  ambit mint --envelope FILE --key FILE --issuer URI --holder FILE --audience URI… --config FILE [options]

What is issued
  --envelope FILE    the envelope, or its JSON: {"delegator_id", "tenant_id", …, "allowed_tools", "resource_constraints", "expires_at"}
  --expires-in TIME  sets \`expires_at\` from now on: 90s, 10m, 2h, 1d
  --agent ID         the holder, when the envelope names no \`agent_id\`
  --audience URI     a verifier that it may be shown to; may be repeated

By whom, to whom
  --key FILE         the issuer's private JWK, a file or \`-\`
  --issuer URI       the name that verifiers have for that key
  --holder FILE      the public JWK of the agent that gets it, or its JSON

Options
  --config FILE      ambit.config.json, for the vocabulary and the purposes that the envelope pins
  --out FILE         write the chain there; default stdout
  --force            overwrite the file
  --json             tell what was issued as JSON
  --help             show this text

Whoever has the issuer's key decides: no policy is asked here. The anchor that verifiers need is printed.

Examples
  ambit mint --envelope envelope.json --expires-in 10m --key issuer.jwk --issuer https://issuer.example \\
    --holder agent.pub.jwk --audience https://ambit.example --config ambit.config.json --out chain.json

Exit codes: 0 issued, 1 refused, 2 called wrongly or a file is not what it must be.
`;
