export const PROVE_HELP = `ambit prove: prove possession of a chain, for one call

Usage
  ambit prove --chain FILE --key FILE --tool NAME --args JSON [--audience URI] [--nonce TEXT] [--json]

The call
  --chain FILE       the chain, or \`-\`
  --key FILE         the private JWK of its holder, a file or \`-\`
  --tool NAME        the tool
  --args JSON        its arguments, or a file of them (\`@FILE\` or FILE)
  --audience URI     the verifier that the proof is for
  --nonce TEXT       the nonce that the verifier gave out

Options
  --json             tell more of the proof, beside the chain and the proof themselves
  --help             show this text

Prints the presentation, {"aat_chain", "aat_pop"}. It is for this very call: a verifier takes it once, and only for seconds. The proof alone permits
nothing, and what the chain does not allow, it does not either.

Examples
  ambit prove --chain chain.json --key agent.jwk --tool crm.read --args '{"customer_id": "c1"}' --audience https://tools.example > presentation.json
  ambit prove --chain foreign.json --key agent.jwk --tool crm_read --args @args.json --audience https://tools.example \\
    | ambit verify - --anchors anchors.json --audience https://tools.example --tool crm_read --args args.json

Exit codes: 0 proved, 1 refused, 2 called wrongly or a file is not what it must be.
`;
