export const HELP = `ambit: execution-centric authorization for AI agents

Usage
  ambit init [options]       write a first configuration from the tools of an application, a server or a list
  ambit doctor FILE          list what of an application can act without a decision
  ambit keys new             make a key
  ambit mint [options]       issue the root of a chain
  ambit attenuate [options]  derive a child of a chain, offline; it can only be smaller
  ambit export [options]     issue an envelope for a verifier that knows the draft alone
  ambit prove [options]      prove possession of a chain, for one call
  ambit inspect FILE         show what a chain says
  ambit verify FILE          verify a chain, a call under it, or test vectors
  ambit why ID               why something was decided as it was
  ambit report               what a decision log says: counts, granted and used, what was refused
  ambit pdp serve            serve the decision point to other processes
  ambit approvals            see what waits for a person, and answer
  ambit calls                see which calls nobody knows the end of, and settle them
  ambit revoke SCOPE [ID]    stop what was given out so far
  ambit vault                the credentials of end services: put them in, list, rotate and remove them
  ambit state migrate        bring the state that decision points share up to date
  ambit --help               show this text; \`ambit COMMAND --help\` tells more
  ambit --version

Examples
  ambit init --mcp "npx -y @modelcontextprotocol/server-filesystem ./data" --server files
  ambit doctor ambit.coverage.ts
  ambit keys new --out agent.jwk > agent.pub.jwk
  ambit inspect chain.json
  ambit verify chain.json --anchors anchors.json --config ambit.config.json --audience https://ambit.example
  ambit why dec_bKx0eV3yJ2nQp1sT --log decisions.jsonl

Exit codes: 0 done or permit, 1 failed, refused or deny, 2 called wrongly.
`;
