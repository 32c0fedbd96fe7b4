import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAuthority } from "../../../pdp/test/support/certificates.ts";
import { begin, call, CONFIG, openSite, TENANT, type Site } from "../fixtures/served.ts";

let site: Site;
beforeEach(async () => {
  site = await openSite();
});
afterEach(() => site.end());

const digestIn = (said: string): string => /policies (sha-256:\S+)/.exec(said.slice(said.lastIndexOf("policies")))?.[1] ?? "none";
const FORBID = [...CONFIG.policies, { name: "no.cedar", text: `forbid (principal, action == Action::"contracts.read", resource);` }];

describe("a process that serves, at SIGHUP,", () => {
  test("decides by the new policies, keeps the old ones where the new are bad, and loses nothing that is under way", async () => {
    await site.configure("one");
    const served = await site.serve("one");
    const pep = site.pepOf(site.connect(served.url));
    const task = await begin(pep);
    const before = digestIn(served.said());
    expect(await call(pep, task)).toBe("permit");

    await site.configure("one", { policies: [{ name: "p.cedar", text: "permit (" }] });
    await served.signal("SIGHUP", "not reloaded, the old one.config.json holds");
    expect(await call(pep, task)).toBe("permit");

    await site.configure("one", { policies: FORBID });
    const asked = (async (): Promise<readonly string[]> => {
      const codes: string[] = [];
      while (!codes.includes("policy_denied")) codes.push(...(await Promise.all([1, 2, 3, 4].map(() => call(pep, task)))));
      return codes;
    })();
    await served.signal("SIGHUP", "reloaded one.config.json");
    // Decided by the one or by the other, and every one of them answered.
    expect(new Set([...(await asked), "permit"])).toEqual(new Set(["permit", "policy_denied"]));
    expect(await call(pep, task)).toBe("policy_denied");
    const after = digestIn(served.said());
    expect([before, after]).toEqual([expect.stringMatching(/^sha-256:/), expect.stringMatching(/^sha-256:/)]);
    expect(after).not.toBe(before);
  }, 120_000);

  test("lets in whom its callers say now, and whom they said before where the new are bad", async () => {
    await site.configure("one");
    const served = await site.serve("one");
    const pep = site.pepOf(site.connect(served.url));
    const task = await begin(pep);
    const file = (await site.read("one.serve.json")) as { readonly callers: readonly object[]; readonly port: number };
    const other = { ...file.callers[0], name: "other", digest: `sha-256:${"A".repeat(43)}` };
    for (const bad of [
      { ...file, callers: [] },
      { ...file, callers: [{ ...other, digest: "x" }] },
      { ...file, port: file.port + 1, callers: [other] },
    ]) {
      await site.write("one.serve.json", bad);
      await served.signal("SIGHUP", "not reloaded, the old one.serve.json holds");
      expect(await call(pep, task)).toBe("permit");
    }
    await site.write("one.serve.json", { ...file, callers: [other] });
    await served.signal("SIGHUP", "reloaded one.serve.json; 1 callers");
    expect(await call(pep, task)).toBe("pdp_unavailable");
    await site.write("one.serve.json", file);
    await served.signal("SIGHUP", "reloaded one.serve.json; 1 callers");
    expect(await call(pep, task)).toBe("permit");
  }, 120_000);

  test("shows the certificate that is there now", async () => {
    const [ours, next] = [createAuthority("ours"), createAuthority("next")];
    await site.configure("one");
    const present = async (authority: typeof ours): Promise<void> => {
      const { cert, key } = authority.issue("DNS:localhost");
      await site.write("cert.pem", cert);
      await site.write("key.pem", key);
    };
    await present(ours);
    const served = await site.serve("one", { host: "localhost", tls: { cert: "cert.pem", key: "key.pem" } });
    const begun = (ca: string): Promise<string> =>
      begin(site.pepOf(site.connect(served.url, { ca })), { tenantId: TENANT }).then(
        () => "begun",
        ({ code }: { readonly code: string }) => code,
      );
    expect([await begun(ours.cert), await begun(next.cert)]).toEqual(["begun", "pdp_unavailable"]);
    await site.write("key.pem", "no key");
    await served.signal("SIGHUP", "not reloaded, the old one.serve.json holds");
    expect(await begun(ours.cert)).toBe("begun");
    await present(next);
    await served.signal("SIGHUP", "reloaded one.serve.json");
    expect([await begun(ours.cert), await begun(next.cert)]).toEqual(["pdp_unavailable", "begun"]);
  }, 120_000);
});
