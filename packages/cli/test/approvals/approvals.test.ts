import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPep } from "@ambit/core";
import { generatePrivateJwk, signingKey } from "@ambit/core/token";
import { createPdp, type EmbeddedPdp } from "@ambit/pdp";
import { allRoutes, createPdpService, secretDigest, servePdp } from "@ambit/pdp/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runIn, type Ran } from "../fixtures/terminal.ts";

const SECRET = "the-secret-of-an-approval-desk-long-enough";
const TENANT = "tenant_acme";
const ARGS = { to: "acme", amount: 250, note: "second\ninvoice" };

let folder: string;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ambit-approvals-"));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(folder, { recursive: true });
});

const text = { type: "string" };
const CONFIG = {
  manifest: {
    tools: {
      "payments.pay": {
        names: [{ name: "payments_pay", pin: "none" }],
        input_schema: { type: "object", properties: { to: text, amount: { type: "integer" }, note: text }, required: ["to", "amount"] },
        effect: "destructive",
        resource: { type: "Account", id: "/to" },
        records: "none",
        data_classes: [],
        sends_outside: true,
        money: { amount: "/amount", currency: "EUR" },
      },
    },
  },
  agents: { agents: { payer: { trust_zone: "first_party", ceiling: "none" } } },
  purposes: { purposes: { pay: { tools: ["payments.pay"] } } },
  policies: [{ name: "p.cedar", text: "permit (principal, action, resource);" }],
  log: "memory",
  state: "memory",
} as const;

type Change = (path: string, json: Readonly<Record<string, unknown>>) => unknown;

/** A payment that waits for Maria, who has a key, at a service that may show something else than there is. */
async function scene(change: Change = (_, json) => json) {
  const jwk = await generatePrivateJwk("Ed25519");
  await writeFile(join(folder, "maria.jwk"), JSON.stringify(jwk));
  const approvers = { approvers: { maria: { tenants: [TENANT], keys: [(await signingKey(jwk)).public.jwk] } } };
  const pdp: EmbeddedPdp = await createPdp({ ...CONFIG, approvals: { rules: [{ by: ["user:maria"] }], approvers } });
  closing.push(() => pdp.close());
  const answers: unknown[] = [];
  const front = await listen(async (path, init) => {
    if (init.method === "POST") answers.push(JSON.parse(String(init.body)));
    const answer = await service.fetch(new Request(url + path, init));
    const json = (await answer.json()) as Readonly<Record<string, unknown>>;
    return { status: answer.status, json: answer.status === 200 ? change(path, json) : json };
  });
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  const callers = [{ kind: "secret", name: "desk", digest: secretDigest(SECRET), roles: ["approve"], tenants: [TENANT] }] as const;
  const service = createPdpService({ pdp, url, callers, routes: allRoutes({ pdp, url }) });
  const pep = createPep({ pdp, agent: "payer", deadline: 10_000 });
  const task = await pep.begin({
    delegatorId: "user_1",
    tenantId: TENANT,
    purpose: "pay",
    allowedTools: ["payments.pay"],
    resourceConstraints: {},
    budgets: { money: { EUR: 1000 } },
    expiresIn: "10m",
  });
  const ran: unknown[] = [];
  const call = async (args: object = ARGS): Promise<string> => {
    const enforced = await pep.enforce({ envelope: task, tool: "payments_pay", arguments: args }, (given) => ran.push(given));
    return enforced.refused?.refusal.code ?? "permit";
  };
  expect(await call()).toBe("approval_required");
  const [approval] = await pdp.approvals.list(TENANT);
  const ambit = (...args: readonly string[]): Promise<Ran> =>
    runIn(folder, ["approvals", ...args, "--tenant", TENANT], { env: { AMBIT_PDP_SECRET: SECRET, AMBIT_PDP_URL: url } });
  return { pdp, url, service, task, ran, call, ambit, answers, id: approval?.id ?? "" };
}

async function listen(
  answer: (
    path: string,
    init: { method: string; headers: Record<string, string>; body?: string },
  ) => Promise<{ readonly status: number; readonly json: unknown }>,
): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { authorization = "" } = request.headers;
      const init = { method: request.method ?? "GET", headers: { authorization, "content-type": "application/json" } };
      const body = Buffer.concat(chunks).toString("utf8");
      void answer(request.url ?? "/", init.method === "POST" ? { ...init, body } : init).then(({ status, json }) =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())));
  return server;
}

const SIGNED = ["--approver", "maria", "--key", "maria.jwk"] as const;

describe("ambit approvals", () => {
  test("shows all that an answer is bound to, and what is left of the budgets", async () => {
    const { ambit, id, task } = await scene();
    const { out, exitCode } = await ambit("show", id);
    expect(exitCode).toBe(0);
    for (const line of [
      `${id}  pending`,
      "  who     payer",
      `  for     user_1 of ${TENANT}`,
      `  why     pay, in the task ${task.envelope.taskId} of ${task.lineage}`,
      "  what    payments.pay, called payments_pay",
      "  effect  cannot be undone; sends data outside",
      "  on      Account acme",
      "  money   250 minor units of EUR",
      "  needs   1 of user:maria",
      '      "note": "second\\ninvoice"',
      "  budget  takes 250 of money/EUR and leaves 750, as it was when it was asked",
    ])
      expect(out.split("\n")).toContain(line);
    expect((await ambit("list")).out).toMatch(
      new RegExp(`^${id.replaceAll(".", "\\.")}  pending  payments\\.pay  by payer for user_1, 250 minor units of EUR, until .+\\n$`),
    );
  });

  test("approves with a person's key what it shows before, and the tool runs exactly once", async () => {
    const { ambit, id, call, ran, answers } = await scene();
    const { out, exitCode } = await ambit("approve", id, ...SIGNED);
    expect([exitCode, out.indexOf("  money   250 minor units of EUR") < out.indexOf("approved")]).toEqual([0, true]);
    expect(answers).toEqual([{ tenant_id: TENANT, signed: expect.any(String) as unknown }]);
    expect([await call({ ...ARGS, amount: 251 }), await call(), await call()]).toEqual(["approval_required", "permit", "approval_required"]);
    expect(ran).toEqual([ARGS]);
    expect(await ambit("approve", id, ...SIGNED)).toMatchObject({ exitCode: 1 });
    expect([await call(), ran]).toEqual(["approval_required", [ARGS]]);
  });

  test("denies, and the tool never runs", async () => {
    const { ambit, id, call, ran } = await scene();
    expect(await ambit("deny", id, ...SIGNED)).toMatchObject({ exitCode: 0 });
    expect([await call(), ran]).toEqual(["approval_denied", []]);
  });

  test("is let in over a real listener as well", async () => {
    const { service, id, call, ran } = await scene();
    const running = await servePdp(service, { port: 0, grace: 100 });
    closing.push(() => running.close());
    const env = { AMBIT_PDP_SECRET: SECRET, AMBIT_PDP_URL: `http://127.0.0.1:${running.port}` };
    expect(await runIn(folder, ["approvals", "approve", id, "--tenant", TENANT, ...SIGNED], { env })).toMatchObject({ exitCode: 0 });
    expect([await call(), await call(), ran]).toEqual(["permit", "approval_required", [ARGS]]);
  });
});

const about = (json: Readonly<Record<string, unknown>>, change: object): object => ({ ...json, about: { ...(json["about"] as object), ...change } });
const lies: readonly (readonly [string, (json: Readonly<Record<string, unknown>>) => unknown])[] = [
  ["other arguments", (json) => about(json, { arguments: { ...ARGS, amount: 1 } })],
  ["less money", (json) => about(json, { changes: { ...(json["about"] as { readonly changes: object }).changes, money: { amount: 1, currency: "EUR" } } })],
  ["a call that only reads", (json) => about(json, { changes: { ...(json["about"] as { readonly changes: object }).changes, effect: "read" } })],
  ["another delegator", (json) => about(json, { delegator_id: "user_2" })],
  ["another agent", (json) => about(json, { agent_id: "helper" })],
  ["another purpose", (json) => about(json, { purpose: "refund" })],
  ["another tenant", (json) => about(json, { tenant_id: "tenant_other" })],
  ["fewer people who have to approve", (json) => about(json, { demands: [] })],
  ["a fact that is not shown", (json) => about(json, { and_also: "delete everything" })],
  ["an answer that is none", () => ({})],
  ["another id", (json) => ({ ...json, id: String(json["id"]).replace(/.$/, (last) => (last === "A" ? "B" : "A")) })],
];

describe("a service that shows", () => {
  test.each(lies)("%s is not believed: nothing is shown, signed or sent", async (_, lie) => {
    let isLying = false;
    const { ambit, id, answers, call, ran } = await scene((path, json) => (isLying && path.includes(id) ? lie(json) : json));
    isLying = true;
    for (const args of [
      ["show", id],
      ["approve", id, ...SIGNED],
      ["deny", id, ...SIGNED],
      ["approve", id, "--approver", "maria"],
    ]) {
      const { exitCode, out, err } = await ambit(...args);
      expect([args[0], exitCode, out]).toEqual([args[0], 1, ""]);
      expect(err).toContain("approval_invalid");
    }
    expect([answers, await call(), ran]).toEqual([[], "approval_required", []]);
  });

  test("another request, true in itself, than the one that was asked for is not believed", async () => {
    const shown: unknown[] = [];
    const { ambit, id, answers, call, pdp } = await scene((path, json) => (path.includes("/approvals/") ? (shown[0] ?? json) : json));
    await call({ ...ARGS, amount: 999 });
    const further = (await pdp.approvals.list(TENANT)).find((approval) => approval.id !== id);
    const { out } = await ambit("show", further?.id ?? "", "--json");
    shown.push(JSON.parse(out));
    const { exitCode, err } = await ambit("approve", id, ...SIGNED);
    expect([exitCode, err.includes("approval_invalid"), answers]).toEqual([1, true, []]);
  });

  test("something else in a list is not believed", async () => {
    let isLying = false;
    const { ambit } = await scene((_, json) =>
      isLying && Array.isArray(json["approvals"])
        ? { approvals: json["approvals"].map((one: Readonly<Record<string, unknown>>) => about(one, { tool: "mail.send" })) }
        : json,
    );
    isLying = true;
    const { exitCode, out, err } = await ambit("list");
    expect([exitCode, out, err.includes("approval_invalid")]).toEqual([1, "", true]);
  });
});
