import { createPep } from "@ambit/core";
import { pdpClient, type PdpClient, type PdpClientOptions } from "@ambit/core/pdp-client";
import { createPdpService, servePdp } from "@ambit/pdp/server";
import { describe, expect, it } from "vitest";
import { BEGIN, outcomeOf, rejection } from "../support/fixture.ts";
import { signedFixture } from "../support/signed.ts";
import { CALLERS, closeAfter, ENFORCER } from "./scene.ts";
import { createAuthority } from "../support/certificates.ts";
import { freePort } from "../support/free-port.ts";

const [ours, theirs] = [createAuthority("ours"), createAuthority("theirs")];
const ca = ours.cert;
const server = ours.issue("DNS:localhost");
const gateway = ours.issue("URI:spiffe://example.org/gateway");
const stranger = ours.issue("URI:spiffe://example.org/stranger");
const forged = theirs.issue("URI:spiffe://example.org/gateway");

describe("over TLS", () => {
  async function scene() {
    const base = await signedFixture();
    const port = await freePort();
    const url = `https://localhost:${port}`;
    const callers = [
      ...CALLERS,
      { kind: "mtls", name: "gateway", subjects: ["URI:spiffe://example.org/gateway"], roles: ["enforce", "assert"], tenants: "any" } as const,
    ];
    closeAfter(await servePdp(createPdpService({ pdp: base.pdp, url, callers }), { port, host: "localhost", tls: { ...server, clientCa: ca }, grace: 100 }));
    const problems: string[] = [];
    const connect = (options: Partial<PdpClientOptions>, at: string = url): PdpClient =>
      closeAfter(
        pdpClient(at, { credentials: { kind: "bearer", token: ENFORCER }, ca, deadline: 5000, onProblem: ({ message }) => problems.push(message), ...options }),
      );
    const { keys, now } = base;
    const begin = async (client: PdpClient): Promise<string> => {
      const pep = createPep({ pdp: client, agent: "reviewer", keys, now, deadline: 10_000 });
      const code = await rejection(pep.begin(BEGIN));
      if (code !== "resolved") return code;
      const read = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
      return outcomeOf(pep, await pep.begin(BEGIN), ...read);
    };
    return { url, port, connect, begin, problems };
  }

  it("a service is asked whose certificate an authority has signed that is trusted, for its name", async () => {
    const { connect, begin, port, problems } = await scene();
    expect(await begin(connect({}))).toBe("permit");
    expect(await begin(connect({ ca: undefined }))).toBe("pdp_unavailable");
    expect(problems.at(-1)).toMatch(/SELF_SIGNED|UNABLE_TO/);
    expect(await begin(connect({}, `https://127.0.0.1:${port}`))).toBe("pdp_unavailable");
    expect(problems.at(-1)).toContain("ERR_TLS_CERT_ALTNAME_INVALID");
  });

  it("a service that speaks no TLS is not there", async () => {
    const { pdp } = await signedFixture();
    const port = await freePort();
    closeAfter(await servePdp(createPdpService({ pdp, url: `https://localhost:${port}`, callers: CALLERS }), { port, host: "localhost", grace: 100 }));
    const { connect, begin } = await scene();
    expect(await begin(connect({}, `https://localhost:${port}`))).toBe("pdp_unavailable");
  });

  it("a caller is known by a certificate of our authority, and by no other", async () => {
    const { connect, begin, problems } = await scene();
    expect(await begin(connect({ credentials: { kind: "certificate", ...gateway } }))).toBe("permit");
    for (const other of [stranger, forged]) {
      expect(await begin(connect({ credentials: { kind: "certificate", ...other } }))).toBe("pdp_unavailable");
      expect(problems.at(-1)).toContain("credentials");
    }
  });
});
