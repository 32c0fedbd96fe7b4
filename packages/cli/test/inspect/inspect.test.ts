import { AMBIT_ENTRY } from "@ambit/core/token";
import type { Json, JsonObject } from "@ambit/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSession, unsigned, type Session } from "../fixtures/session.ts";

let session: Session;
beforeEach(async () => {
  session = await openSession();
});
afterEach(() => session.end());

const NOW = "2026-05-12T18:00:00Z";
const SECONDS = Date.parse(NOW) / 1000;
/** Everything that a terminal obeys or that changes how a line reads; our own line breaks aside. */
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const HOSTILE = "\u001b[2J\u001b]0;owned\u0007\u009b31m\u202egnp\r\nvalid: the chain holds\u2028\u200b";

async function claims(changes: object = {}): Promise<JsonObject> {
  return {
    jti: "j0",
    iss: "https://issuer.example",
    iat: SECONDS - 60,
    exp: SECONDS + 600,
    cnf: { jwk: JSON.parse(await session.read("issuer.pub.jwk")) as Json },
    del_depth: 0,
    del_max_depth: 4,
    authorization_details: [{ type: "attenuating_agent_token", tools: { "crm.read": {} } }],
    ...changes,
  };
}

const entry = (changes: object = {}): JsonObject => ({
  type: AMBIT_ENTRY,
  agent_id: "reviewer",
  allowed_tools: ["crm.read"],
  max_depth: 4,
  expires_at: new Date((SECONDS + 600) * 1000).toISOString(),
  ...changes,
});
const details = (tools: object, envelope: object = {}): object => ({
  authorization_details: [{ type: "attenuating_agent_token", tools }, entry(envelope)],
});

describe("ambit inspect", () => {
  test("shows every form of a chain, with the time left", async () => {
    const token = unsigned(await claims());
    for (const content of [{ aat_chain: [token], aat_pop: "x" }, [token], `${token}\n`]) {
      await session.write("chain", content);
      expect(await session.out("inspect", "chain", "--now", NOW)).toMatch(/NOT VERIFIED[^]*tools +crm\.read\(\*: anything\)[^]*, 10m left\n$/);
    }
    expect(await session.out("inspect", "chain", "--now", "2026-05-12T19:00:00Z")).toContain("expired 50m ago");
    expect(await session.out("inspect", "chain", "--now", "2026-05-12T17:00:00Z")).toContain("begins in 59m");
  });

  test("lets nothing of a token reach the terminal that it would obey", async () => {
    const hostile = details(
      { [HOSTILE]: { [HOSTILE]: { constraint_type: "exact", value: HOSTILE } } },
      {
        agent_id: HOSTILE,
        delegator_id: HOSTILE,
        purpose: [HOSTILE, { [HOSTILE]: HOSTILE }],
        allowed_tools: [HOSTILE],
        resource_constraints: { [HOSTILE]: HOSTILE },
        budgets: HOSTILE,
        [HOSTILE]: HOSTILE,
      },
    );
    const root = unsigned(await claims({ iss: HOSTILE, aud: HOSTILE, ...(hostile as object) }));
    const child = unsigned(await claims({ jti: HOSTILE, iss: HOSTILE, del_depth: 1, par_hash: HOSTILE }));
    await session.write("chain.json", [root, child, unsigned(await claims({ iss: "\0" })), HOSTILE, `${HOSTILE}.${HOSTILE}.${HOSTILE}`]);
    for (const options of [[], ["--json"]]) {
      const { out, err, exitCode } = await session.run(["inspect", "chain.json", ...options]);
      expect(exitCode).toBe(1);
      expect(out + err).not.toMatch(OBEYED);
      expect(out).not.toMatch(/^valid/m);
    }
  });

  test("shows hostile names in quotes, and what the draft and the envelope say differently", async () => {
    const token = unsigned(await claims(details({ "crm.read": {}, "crm.delete": {} }, { agent_id: HOSTILE, max_depth: 2, secret_member: 1 })));
    await session.write("chain.json", [token]);
    const { out, exitCode } = await session.run(["inspect", "chain.json", "--now", NOW]);
    expect(exitCode).toBe(0);
    expect(out).not.toMatch(OBEYED);
    expect(out).toContain("! the tools of its envelope are not those of the draft's own entry");
    expect(out).toContain("! `max_depth` of its envelope is not `del_max_depth`");
    expect(out).toMatch(/unknown +secret_member = 1/);
  });

  test("says where a hop is wider or hangs on nothing", async () => {
    const root = unsigned(await claims(details({ "crm.read": {} }, { denied_tools: ["x"], budgets: { calls: 2 } })));
    const child = unsigned(
      await claims({
        jti: "j1",
        del_depth: 1,
        par_hash: "wrong",
        exp: SECONDS + 900,
        ...details(
          { "crm.read": {}, "crm.delete": {} },
          { allowed_tools: ["crm.read", "crm.delete"], expires_at: new Date((SECONDS + 900) * 1000).toISOString(), budgets: {} },
        ),
      }),
    );
    await session.write("chain.json", [root, child]);
    const { tokens } = JSON.parse(await session.out("inspect", "chain.json", "--json", "--now", NOW)) as {
      readonly tokens: readonly { readonly changes: readonly { readonly kind: string; readonly dimension: string }[]; readonly flaws: readonly string[] }[];
    };
    expect(tokens[1]?.changes.map(({ kind, dimension }) => `${kind} ${dimension}`)).toEqual([
      "wider allowed_tools",
      "wider denied_tools",
      "wider budgets calls",
      "wider expires",
    ]);
    expect(tokens[1]?.flaws).toHaveLength(2);
    expect(await session.out("inspect", "chain.json")).toMatch(/WIDER +allowed_tools: also crm\.delete: a verifier refuses this/);
  });

  test("shows the tokens beside one that cannot be read, and answers 1", async () => {
    await session.write("chain.json", [unsigned(await claims()), "garbage"]);
    const { out, exitCode } = await session.run(["inspect", "chain.json"]);
    expect(exitCode).toBe(1);
    expect(out).toMatch(/crm\.read[^]*└─ token 1 cannot be read/);
  });

  test("has colours on a terminal alone", async () => {
    await session.write("chain.json", [unsigned(await claims())]);
    expect((await session.run(["inspect", "chain.json"], { hasColours: true })).out).toMatch(/^\u001b\[1m/);
    expect(await session.out("inspect", "chain.json")).not.toMatch(OBEYED);
  });

  test.each([
    ["envelope_malformed", 1, "hello, world"],
    ["envelope_malformed", 1, ""],
    ["envelope_malformed", 1, "{"],
    ["envelope_malformed", 1, "[]"],
    ["envelope_malformed", 1, '{"aat_chain": "x"}'],
    ["envelope_malformed", 1, '{"aat_chain": [1]}'],
    ["envelope_malformed", 1, '{"__proto__": {"aat_chain": ["x"]}}'],
    ["envelope_malformed", 1, JSON.stringify(Array.from({ length: 66 }, () => "a.b.c"))],
    ["envelope_malformed", 1, "[".repeat(500_000)],
    ["file_unreadable", 2, Buffer.from([0xff, 0xfe, 0x00, 0x80])],
    ["file_unreadable", 2, Buffer.alloc(2_000_000, "a")],
  ])("answers %s, exit code %i, to a file that is no chain", async (code, exitCode, content) => {
    await session.write("chain.json", content);
    const ran = await session.run(["inspect", "chain.json"]);
    expect(ran).toMatchObject({ exitCode, out: "" });
    expect(ran.err.slice(0, code.length + 7)).toBe(`error[${code}]`);
    expect(ran.err).not.toMatch(/^\s+at /m);
  });

  test.each([[[]], [["a", "b"]], [["x", "--now", "yesterday"]], [["x", "--now", "2026-02-31T00:00:00Z"]], [["no-such-file"]], [["."]]])(
    "answers %j with exit code 2",
    async (args) => {
      expect(await session.run(["inspect", ...args])).toMatchObject({ exitCode: 2, out: "" });
    },
  );
});
