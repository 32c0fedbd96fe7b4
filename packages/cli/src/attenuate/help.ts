export const ATTENUATE_HELP = `ambit attenuate: derive a child of a chain, offline

Usage
  ambit attenuate --chain FILE --key FILE --holder FILE [--narrowing FILE] [--config FILE] [options]

From what, to whom
  --chain FILE       the chain, or \`-\`
  --key FILE         the private JWK of its holder, a file or \`-\`
  --holder FILE      the public JWK of the next holder, or its JSON

What the child may
  --narrowing FILE   what it asks for, or its JSON: {"agent_id", "purpose", "allowed_tools", "resource_constraints", "budgets", …};
                     what is not named is as in the parent. Chains of the draft alone: {"tools", "max_depth", "expires_at"}
  --expires-in TIME  sets \`expires_at\` from now on: 90s, 10m, 2h, 1d
  --exact            refuse rather than give less than was asked for
  --audience URI     a verifier that it may be shown to; may be repeated

Options
  --config FILE      ambit.config.json; needed for chains with envelopes
  --out FILE         write the chain there; default stdout
  --force            overwrite the file
  --json             tell what was derived as JSON
  --help             show this text

The child is never wider than its parent: what is asked for beyond it is cut, and said. In chains of the draft alone it is refused.

Examples
  ambit attenuate --chain chain.json --key agent.jwk --holder next.pub.jwk --config ambit.config.json \\
    --narrowing '{"agent_id": "clause-classifier", "allowed_tools": ["contracts.read"]}' --out child.json
  ambit attenuate --chain child.json --key next.jwk --holder third.pub.jwk --narrowing narrowing.json --exact --config ambit.config.json

Exit codes: 0 derived, 1 refused, 2 called wrongly or a file is not what it must be.
`;
