import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPep } from "@ambit/core";
import { pdpClient, type PdpClient, type PdpClientOptions } from "@ambit/core/pdp-client";
import { createPdpService, servePdp } from "@ambit/pdp/server";
import { describe, expect, it } from "vitest";
import { BEGIN, outcomeOf, rejection } from "../support/fixture.ts";
import { signedFixture } from "../support/signed.ts";
import { CALLERS, closeAfter, ENFORCER, freePort } from "./scene.ts";

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const OPENSSL = "openssl";

/** An authority, a server and two clients it has signed, and somebody it has not; `undefined` where there is no OpenSSL to make them with. */
function certificates(): { readonly ca: string; readonly server: Pair; readonly gateway: Pair; readonly stranger: Pair; readonly forged: Pair } | undefined {
  const folder = mkdtempSync(join(tmpdir(), "ambit-tls-"));
  const run = (...args: readonly string[]): unknown => execFileSync(OPENSSL, [...args], { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const authority = (name: string): unknown => run("req", "-x509", ...ec, "-keyout", `${name}.key`, "-out", `${name}.pem`, "-subj", `/CN=${name}`);
  const pair = (name: string, ca: string, names: string): Pair => {
    run("req", ...ec.slice(0, 5), "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${names}\n`);
    run(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      `${ca}.pem`,
      "-CAkey",
      `${ca}.key`,
      "-CAcreateserial",
      "-days",
      "2",
      "-extfile",
      `${name}.ext`,
      "-out",
      `${name}.pem`,
    );
    return { cert: readFileSync(join(folder, `${name}.pem`), "utf8"), key: readFileSync(join(folder, `${name}.key`), "utf8") };
  };
  try {
    authority("ours");
    authority("theirs");
    return {
      ca: readFileSync(join(folder, "ours.pem"), "utf8"),
      server: pair("server", "ours", "DNS:localhost"),
      gateway: pair("gateway", "ours", "URI:spiffe://example.org/gateway"),
      stranger: pair("stranger", "ours", "URI:spiffe://example.org/stranger"),
      forged: pair("forged", "theirs", "URI:spiffe://example.org/gateway"),
    };
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const made = certificates();

describe.skipIf(made === undefined)("over TLS", () => {
  const { ca, server, gateway, stranger, forged } = made as NonNullable<typeof made>;

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
