export const PDP_HELP = `ambit pdp: the decision point as a service

Usage
  ambit pdp serve [--config FILE] [--serve FILE] [--check]

Options
  --config FILE  what is decided by (default: ambit.config.json)
  --serve FILE   where it listens and who may ask (default: ambit.serve.json)
  --check        read everything, say what is wrong with it, and do not serve
  --help         show this text

Nothing is open: every caller shows a secret, a token, a certificate or a proof of its key, on this machine too. Several processes over one PostgreSQL or Redis are one decision point.
SIGHUP reads both files again, with whatever they name: policies, agents, tools, keys and so on; callers, workloads, issuers of security events, certificates. What is wrong with a file
is told, and the old one stays. \`log\`, \`state\`, the address, \`failed_attempts\`, and whether there is TLS, do not change without a restart. SIGTERM answers what was asked and stops.

ambit.serve.json
  { "url": "https://pdp.acme.example", "port": 8443, "host": "0.0.0.0", "tls": { "cert": "cert.pem", "key": "key.pem" },
    "callers": [ { "kind": "secret", "name": "renewal-app", "roles": ["enforce", "assert"], "tenants": ["tenant_acme"], "digest": "sha-256:…" } ] }
  Further: "workloads" (OAuth endpoints), "security_events" (what identity providers push),
  "failed_attempts" (who has to wait), "behind_proxy" and "client_address" (where TLS ends before it).

Examples
  ambit pdp serve --config ambit.config.json --serve ambit.serve.json
  ambit keys secret                # a secret, and the digest to configure

Exit codes: 0 stopped when asked to, 1 failed, 2 called wrongly or configured wrongly.
`;
