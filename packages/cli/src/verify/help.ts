export const VERIFY_HELP = `ambit verify: verify a chain, a call under it, or test vectors

Usage
  ambit verify FILE|- --anchors FILE [--config FILE] [--audience URI…] [--kind ambit|aat] [options]
  ambit verify FILE|- --anchors FILE --audience URI --tool NAME --args JSON [--pop TOKEN] [options]
  ambit verify --vectors FILE [--params FILE] [--json]

The chain
  --anchors FILE     whom to trust, a list of {"kind": "ambit", "issuer", "jwk", "kid"?, "tenants": […]} and
                     {"kind": "aat", "issuer", "jwk", "kid"?, "tenant_id", "delegator_id", "purpose"}
  --kind KIND        take only chains of this kind: ambit (with envelopes) or aat (of the draft alone)
  --config FILE      ambit.config.json; needed for chains with envelopes. There is no default: they pin their vocabulary and their purposes
  --audience URI     a name of the verifier; may be repeated
  --now TIME         verify as of then, as 2026-05-12T18:00:00Z

The call
  --tool NAME        the tool
  --args JSON        its arguments, or a file of them
  --pop TOKEN        the proof of the holder; default \`aat_pop\` of FILE
  --nonce TEXT       the nonce that the proof must have

Vectors
  --vectors FILE     one vector a line; prints one JSON verdict a line, and a summary that counts permits and denies apart
  --params FILE      clock, limits, audience and anchors; default params.json beside the vectors

Options
  --json             the verdict as JSON; of vectors, the summary too
  --help             show this text

A chain alone is \`valid\` or denied, and authorizes nothing. A call with its proof is \`permit\` or denied. What was not checked is said.

Examples
  ambit verify chain.json --anchors anchors.json --config ambit.config.json --audience https://ambit.example
  ambit verify presentation.json --anchors anchors.json --kind aat --audience https://tools.example --tool read_file --args '{"path": "/data/a"}'
  ambit verify --vectors vectors.jsonl --params params.json

Exit codes: 0 valid or permit (vectors: all as expected), 1 deny (vectors: a mismatch), 2 called wrongly or a file is not what it must be.
`;
