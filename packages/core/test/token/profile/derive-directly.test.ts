import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../src/data/canonical.ts";
import type { JsonObject } from "../../../src/data/json.ts";
import { reachOf } from "../../../src/envelope/envelope.ts";
import { readEnvelope } from "../../../src/envelope/wire.ts";
import { readClaims } from "../../../src/token/claims.ts";
import { payloadOf, readPayload } from "../../../src/token/compact.ts";
import { deriveProfiled, deriveToken } from "../../../src/token/issue.ts";
import { generateKey } from "../../../src/token/key.ts";
import { TOKEN_LIMITS } from "../../../src/token/limits.ts";
import { readEntry, writeEntry } from "../../../src/token/profile/entry.ts";
import { deriveEnvelope, issueEnvelope, type HeldEnvelope } from "../../../src/token/profile/issue-envelope.ts";
import { codeOf } from "../../support/codes.ts";
import { ORDER, parse, variantsOf, wires } from "../../support/envelopes.ts";

const NOW = Date.parse("2026-05-12T18:00:00Z");
const [issuer, holder, next] = await Promise.all([generateKey(), generateKey(), generateKey("ES256")]);
function root(wire: object): Promise<HeldEnvelope> {
  const envelope = parse({ ...wire, expires_at: "2026-05-12T18:30:00Z" });
  return issueEnvelope({ envelope, issuer: "https://i.example", holder: holder.public, audience: ["a"], now: NOW }, issuer, ORDER);
}

/** What a verifier reads of the last token of a chain, and the text that it reads it from. */
function asRead(tokens: readonly string[]): { readonly text: string; readonly claims: unknown } {
  const bytes = Buffer.from(tokens.at(-1)?.split(".")[1] ?? "", "base64url");
  const payload = readPayload(bytes);
  if (typeof payload === "string") throw new Error(payload);
  return { text: bytes.toString("utf8"), claims: readClaims(payload, TOKEN_LIMITS) };
}

const BASE = {
  delegator_id: "u1",
  tenant_id: "t1",
  session_id: "s1",
  task_id: "k1",
  purpose: "review",
  agent_id: "reviewer",
  allowed_tools: ["crm.read"],
  resource_constraints: {},
  expires_at: "2026-05-12T18:30:00Z",
};

describe("a child of an envelope, of which nothing is read back", () => {
  it("has the claims that a verifier reads, in canonical text", async () => {
    let direct = 0;
    await fc.assert(
      fc.asyncProperty(wires, fc.boolean(), async (wire, isLess) => {
        const parent = await root({ ...wire, max_depth: 4, ...(isLess ? {} : { budgets: {} }) });
        const reach = reachOf(parent.envelope).filter((_, index) => !isLess || index % 2 === 0);
        const narrowing = { agentId: "next", taskId: `${parent.envelope.taskId}/part`, allowedTools: reach, maxDepth: 3 };
        const child = await deriveEnvelope(parent, { narrowing, holder: next.public, now: NOW }, holder, ORDER);
        const { text, claims } = asRead(child.chain.tokens);
        expect(child.chain.leaf.claims).toEqual(claims);
        expect(readClaims(payloadOf(JSON.parse(text) as JsonObject), TOKEN_LIMITS)).toEqual(claims);
        expect(text).toBe(canonicalJson(JSON.parse(text) as JsonObject));
        const entry = writeEntry(child.envelope, ORDER);
        const claimed = { holder: next.public, maxDepth: 3, expiresAt: child.envelope.expiresAt / 1000, now: NOW };
        const profiled = await deriveProfiled(parent.chain, { ...claimed, reach: reachOf(child.envelope), entry }, holder);
        if (profiled === undefined) return;
        direct += 1;
        const tools = Object.fromEntries(reachOf(child.envelope).map((tool) => [tool, {}]));
        const general = await deriveToken(parent.chain, { ...claimed, tools, otherDetails: [entry] }, holder);
        const [one, other] = [profiled, general].map(({ leaf }) => ({ ...leaf.claims, jti: "", signed: { ...leaf.claims.signed, jti: "" } }));
        expect(one).toEqual(other);
      }),
      { numRuns: 300 },
    );
    expect(direct).toBeGreaterThan(30);
  });

  it("is looked at where reading could say anything else, or more tools were asked for", async () => {
    const parent = await root({ ...BASE, allowed_tools: ["crm.read", "7", "__proto__"] });
    const claimed = { holder: next.public, maxDepth: 3, expiresAt: NOW / 1000 + 60, now: NOW };
    const derive = async (changes: object): Promise<boolean> =>
      (await deriveProfiled(parent.chain, { ...claimed, reach: ["crm.read"], entry: { type: "x" }, ...changes }, holder)) !== undefined;
    expect(await derive({})).toBe(true);
    for (const reach of [["crm.write"], ["7"], ["__proto__"], ["toString"], Array.from({ length: 257 }, () => "crm.read")])
      expect(await derive({ reach })).toBe(false);
    for (const text of ["\0", "\ud800", '"', "\\"]) expect(await derive({ entry: { type: text } })).toBe(false);
    expect(await derive({ holder: { ...next.public } })).toBe(false);
    expect(await derive({ expiresAt: NOW / 1000 + 0.5 })).toBe(false);
    expect(await derive({ maxDepth: 2.5 })).toBe(false);
  });

  it("is refused for what any child is refused for", async () => {
    const parent = await root(BASE);
    const [reach, entry] = [["crm.read"], { type: "x" }];
    const claimed = { holder: next.public, maxDepth: 3, expiresAt: NOW / 1000 + 60, now: NOW, reach, entry };
    const derive = (changes: object, key = holder): string => codeOf(() => deriveProfiled(parent.chain, { ...claimed, ...changes }, key));
    expect(derive({}, issuer)).toBe("holder_mismatch");
    expect(derive({ maxDepth: 5 })).toBe("not_narrower");
    expect(derive({ maxDepth: 0 })).toBe("depth_exceeded");
    expect(derive({ expiresAt: NOW / 1000 + 7200 })).toBe("not_narrower");
    expect(derive({ expiresAt: NOW / 1000 })).toBe("envelope_expired");
  });
});

describe("an envelope that is read next to its parent", () => {
  it("is the envelope that it is by itself", async () => {
    await fc.assert(
      fc.asyncProperty(
        wires.chain((a) => fc.tuple(fc.constant(a), variantsOf(a))),
        async ([a, b]) => {
          const [one, other] = await Promise.all([root({ ...a, max_depth: 4 }), root({ ...b, max_depth: 4 })]);
          const claims = other.chain.leaf.claims;
          const like = readEntry(one.chain.leaf.claims, ORDER);
          if (typeof like === "string") throw new Error(like);
          expect(readEntry(claims, ORDER, 0, like)).toStrictEqual(readEntry(claims, ORDER));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is refused for members that are like the parent's and not the same", () => {
    const like = parse({ ...BASE, resource_constraints: { contract_ids: ["a", "b"], max_records: 3 } });
    for (const [member, value] of [
      ["allowed_tools", "crm.read"],
      ["allowed_tools", { 0: "crm.read", length: 1 }],
      ["allowed_tools", ["crm.read", "*"]],
      ["allowed_tools", [["crm.read"]]],
      ["resource_constraints", { contract_ids: "a,b" }],
      ["resource_constraints", { contract_ids: ["a", ["b"]] }],
      ["resource_constraints", { max_records: "3" }],
      ["resource_constraints", { other: ["a", "b"] }],
      ["task_id", [like.taskId]],
      ["purpose", null],
    ] as const) {
      const data = { ...BASE, [member]: value } as unknown as JsonObject;
      expect(codeOf(() => readEnvelope(data, ORDER.vocabulary, undefined, like))).toBe("envelope_malformed");
    }
  });
});
