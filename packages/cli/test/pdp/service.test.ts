import { once } from "node:events";
import { chainOf } from "@ambit/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { begin, call, openSite, TENANT, type Site } from "../fixtures/served.ts";
import { runIn, type Ran } from "../fixtures/terminal.ts";

let site: Site;
beforeEach(async () => {
  site = await openSite();
});
afterEach(() => site.end());

describe("a decision point that is served", () => {
  test("decides for another process, is operated from a third one, and stops when asked to", async () => {
    await site.configure("one");
    const { url, child } = await site.serve("one");
    const ambit = (...args: readonly string[]): Promise<Ran> => site.ambit(url, ...args);
    const pep = site.pepOf(site.connect(url));
    const task = await begin(pep);
    expect(await call(pep, task)).toBe("permit");

    const waiting = await begin(pep, { approvals: ["contracts.read"] });
    expect(await call(pep, waiting)).toBe("approval_required");
    const listed = await ambit("approvals", "list", "--tenant", TENANT, "--json");
    const { approvals } = JSON.parse(listed.out) as { readonly approvals: readonly { readonly id: string }[] };
    expect(approvals).toHaveLength(1);
    const id = approvals[0]?.id ?? "";
    expect((await ambit("approvals", "show", id, "--tenant", TENANT)).out).toMatch(/who +reviewer\n +key .+\n +for +user_1 of tenant_acme\n/);
    expect(await ambit("approvals", "approve", id, "--tenant", TENANT, "--approver", "reviewer")).toMatchObject({ exitCode: 1 });
    expect(await ambit("approvals", "approve", id, "--tenant", TENANT, "--approver", "user_1")).toMatchObject({ exitCode: 0 });
    expect([await call(pep, waiting), await call(pep, waiting)]).toEqual(["permit", "approval_required"]);

    expect(await ambit("revoke", "agent", "reviewer", "--tenant", "tenant_other")).toMatchObject({ exitCode: 2 });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await ambit("revoke", "agent", "reviewer", "--tenant", TENANT, "--reason", "test")).out).toBe("revoked: agent reviewer of tenant_acme\n");
    expect(await call(pep, task)).toBe("envelope_revoked");

    child.kill("SIGTERM");
    const [code] = (await once(child, "exit")) as [number];
    expect(code).toBe(0);
    expect(await call(pep, task)).toBe("pdp_unavailable");
  });

  test("knows after it was killed which calls nobody settled, and what an operator says of them", async () => {
    await site.configure("one", { state: { kind: "sqlite", path: "one.db" } });
    const killed = await site.serve("one");
    const pep = site.pepOf(site.connect(killed.url));
    const task = await begin(pep, { budgets: { calls: 3 } });
    const admissions = await Promise.all(
      ["a", "b"].map((callId) => pep.admit({ envelope: task, tool: "contracts_read", arguments: { id: "k1" }, callId, turn: "1" })),
    );
    expect(admissions.map(({ admitted }) => admitted)).toEqual([true, true]);
    killed.child.kill("SIGKILL");
    await once(killed.child, "exit");
    // What they were running goes on; nobody is there to be told how it ends.
    for (const admission of admissions) if (admission.admitted) expect(await admission.complete({ id: "k1" })).toMatchObject({ released: false });

    const { url } = await site.serve("one");
    const ambit = (...args: readonly string[]): Promise<Ran> => site.ambit(url, ...args);
    const listed = await ambit("calls", "list", "--tenant", TENANT);
    const line = new RegExp(`^${task.envelopeId} (\\S+) {2}running {2}contracts\\.read {2}since \\S+, holds calls=1$`, "gm");
    const [a = "", b = ""] = [...listed.out.matchAll(line)].map(([, callId]) => callId ?? "");
    expect([listed.exitCode, a.split("/").at(-1), b.split("/").at(-1)]).toEqual([0, "a", "b"]);
    expect(JSON.parse((await ambit("calls", "list", "--tenant", TENANT, "--json")).out)).toMatchObject({ calls: [{ call_id: a }, { call_id: b }] });

    const say = (...args: readonly string[]): Promise<Ran> => ambit("calls", ...args, "--tenant", TENANT);
    expect(await say("done", task.envelopeId, a)).toMatchObject({ exitCode: 1, err: expect.stringContaining("call_running") });
    expect(await say("done", task.envelopeId, a, "--force", "--used", "records=1")).toMatchObject({ exitCode: 1, err: expect.stringContaining("`records`") });
    expect(await say("done", task.envelopeId, a, "--force", "--used", "calls=1", "--reason", "seen in the log of the tool")).toMatchObject({
      exitCode: 0,
      out: `done: ${a} of ${TENANT}; what it used is spent\n`,
    });
    const notRun = await say("not_run", task.envelopeId, b, "--force", "--json");
    expect([notRun.exitCode, JSON.parse(notRun.out)]).toMatchObject([0, { done: true, reserved: { calls: 1 } }]);
    expect(await say("not_run", task.envelopeId, a, "--force")).toMatchObject({ exitCode: 1, err: expect.stringContaining("not_found") });
    expect((await say("list")).out).toBe("nothing waits\n");
    expect(await ambit("calls", "list", "--tenant", "tenant_other")).toMatchObject({ exitCode: 2 });

    const again = site.pepOf(site.connect(url));
    const same = await again.receive(chainOf(task) ?? []);
    expect([await call(again, same), await call(again, same), await call(again, same)]).toEqual(["permit", "permit", "budget_exhausted"]);
    const decision = admissions[0]?.admitted === true ? admissions[0].decisionId : "none";
    const why = await runIn(site.folder, ["why", decision, "--log", "one.jsonl"]);
    expect(why.out).toMatch(/Afterwards\n.* app found that it took effect, and used .*"calls":1.*, seen in the log of the tool\n/);
  });

  test("answers AuthZEN questions of policy, which are no grants", async () => {
    await site.configure("one");
    const { digest } = JSON.parse((await runIn(site.folder, ["keys", "secret", "--json"])).out) as { readonly digest: string };
    const caller = { kind: "secret", roles: ["evaluate"], tenants: [TENANT] };
    const callers = [
      { ...caller, name: "app", digest: site.digest },
      { ...caller, name: "other", digest },
    ];
    const { url } = await site.serve("one", { callers });
    const metadata = (await (await fetch(`${url}/.well-known/authzen-configuration`)).json()) as { readonly access_evaluation_endpoint: string };
    const question = {
      subject: { type: "user", id: "user_1" },
      action: { name: "contracts.read" },
      resource: { type: "Tool", id: "contracts.read" },
      context: { tenant: TENANT, purpose: "review", agent: "reviewer", arguments: { id: "k1" } },
    };
    const ask = (headers: Record<string, string>): Promise<Response> =>
      fetch(metadata.access_evaluation_endpoint, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(question),
      });
    expect((await ask({})).status).toBe(401);
    const answer = await ask({ authorization: `Bearer ${site.secret}`, "x-request-id": "r1" });
    expect([answer.status, answer.headers.get("x-request-id")]).toEqual([200, "r1"]);
    expect(await answer.json()).toMatchObject({ decision: true });
  });

  test("takes no security events of an issuer whose users nobody knows", async () => {
    const issuer = "https://idp.example";
    const events = { audience: "https://pdp.example/events", issuers: [{ issuer, keys: `${issuer}/jwks` }] };
    const callers = [{ kind: "secret", name: "app", roles: ["enforce"], tenants: [TENANT], digest: site.digest }];
    await site.write("serve.json", { callers, url: "http://127.0.0.1:1", port: 1, security_events: events, failed_attempts: { most: 5, seconds: 30 } });
    const check = (): Promise<Ran> => runIn(site.folder, ["pdp", "serve", "--config", "one.config.json", "--serve", "serve.json", "--check"]);
    await site.configure("one");
    expect(await check()).toMatchObject({ exitCode: 2, out: "" });
    await site.configure("one", { users: { issuers: { [issuer]: { id: { claim: "sub" }, tenant: { id: TENANT } } } } });
    expect(await check()).toMatchObject({ exitCode: 0, out: "the configuration holds\n" });
  });

  test("asks everybody who they are", async () => {
    await site.configure("one");
    const { url } = await site.serve("one");
    for (const [path, status] of [
      ["/healthz", 200],
      ["/metrics", 401],
      ["/ambit/v1/terms", 401],
      ["/ambit/v1/approvals?tenant_id=tenant_acme", 401],
    ] as const)
      expect((await fetch(url + path)).status).toBe(status);
    const env = { AMBIT_PDP_URL: url, AMBIT_PDP_SECRET: "another secret of more than thirty-two bytes" };
    expect(await runIn(site.folder, ["approvals", "list", "--tenant", TENANT], { env })).toMatchObject({ exitCode: 2, out: "" });
  });

  test("says what is wrong with its configuration before it listens", async () => {
    await site.configure("one");
    await site.write("ok.json", {
      url: "http://127.0.0.1:1",
      port: 1,
      callers: [{ kind: "secret", name: "a", roles: ["enforce"], tenants: "any", digest: `sha-256:${"A".repeat(43)}` }],
    });
    expect(await runIn(site.folder, ["pdp", "serve", "--check", "--config", "one.config.json", "--serve", "ok.json"])).toMatchObject({
      exitCode: 0,
      out: "the configuration holds\n",
    });
    for (const [name, content] of [
      ["no-callers.json", { url: "http://127.0.0.1:1", port: 1, callers: [] }],
      ["unknown.json", { url: "http://127.0.0.1:1", port: 1, callers: [], open: true }],
      ["role.json", { url: "http://127.0.0.1:1", port: 1, callers: [{ kind: "secret", name: "a", roles: ["root"], tenants: "any", digest: "x" }] }],
      ["digest.json", { url: "http://127.0.0.1:1", port: 1, callers: [{ kind: "secret", name: "a", roles: ["enforce"], tenants: "any", digest: "x" }] }],
    ] as const) {
      await site.write(name, content);
      expect(await runIn(site.folder, ["pdp", "serve", "--check", "--config", "one.config.json", "--serve", name])).toMatchObject({ exitCode: 2, out: "" });
    }
    await site.write("bad.config.json", {});
    expect(await runIn(site.folder, ["pdp", "serve", "--check", "--config", "bad.config.json", "--serve", "ok.json"])).toMatchObject({ exitCode: 2, out: "" });
  });
});
