export const EXPORT_HELP = `ambit export: issue an envelope for a verifier that knows the draft alone

Usage
  ambit export --envelope FILE --key FILE --issuer URI --holder FILE --audience URI… --config FILE [options]

What is issued
  --envelope FILE    the envelope, or its JSON
  --expires-in TIME  sets \`expires_at\` from now on: 90s, 10m, 2h, 1d
  --agent ID         the holder, when the envelope names no \`agent_id\`
  --audience URI     a foreign verifier that it may be shown to; may be repeated
  --server NAME      call the tools as the manifest says that this server does; default by their ids

By whom, to whom
  --key FILE         the issuer's private JWK, a file or \`-\`
  --issuer URI       the name that the verifier has for that key
  --holder FILE      the public JWK of the agent that gets it, or its JSON

Options
  --config FILE      ambit.config.json, for the manifest, the agents, the vocabulary and the purposes
  --out FILE         write the chain there; default stdout
  --force            overwrite the file
  --json             tell what was issued as JSON
  --help             show this text

All that bounds the envelope must be said by constraints on arguments; if anything cannot, nothing is issued and every reason is told.
Not in the chain: on whose behalf, for which task, session and purpose. The verifier's anchor stands for them. It asks no policy and hears of no
revocation, so let it expire soon; and it does not check that arguments fit the tool's input schema, which is left to the tool.

Examples
  ambit export --envelope envelope.json --expires-in 5m --key issuer.jwk --issuer https://issuer.example \\
    --holder agent.pub.jwk --audience https://tools.partner.example --config ambit.config.json --server crm --out foreign.json

Exit codes: 0 issued, 1 refused, 2 called wrongly or a file is not what it must be.
`;
