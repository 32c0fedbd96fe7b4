export const HELP = `ambit: execution-centric authorization for AI agents

Usage
  ambit init [options]       write a first configuration from the tools of an MCP server or a list
  ambit keys new             make a key
  ambit mint [options]       issue the root of a chain
  ambit attenuate [options]  derive a child of a chain, offline; it can only be smaller
  ambit export [options]     issue an envelope for a verifier that knows the draft alone
  ambit prove [options]      prove possession of a chain, for one call
  ambit inspect FILE         show what a chain says
  ambit verify FILE          verify a chain, a call under it, or test vectors
  ambit --help               show this text; \`ambit COMMAND --help\` tells more
  ambit --version

Examples
  ambit init --mcp "npx -y @modelcontextprotocol/server-filesystem ./data" --server files
  ambit keys new --out agent.jwk > agent.pub.jwk
  ambit inspect chain.json
  ambit verify chain.json --anchors anchors.json --config ambit.config.json --audience https://ambit.example

Exit codes: 0 done or permit, 1 failed, refused or deny, 2 called wrongly.
`;
