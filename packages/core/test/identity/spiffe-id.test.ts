import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTrustDomain, readSpiffeId } from "../../src/identity/spiffe-id.ts";

describe("a SPIFFE ID of a workload", () => {
  it.each([
    ["spiffe://example.org/billing", "example.org", "/billing"],
    ["spiffe://prod.eu-1_a.example.org/ns/staging/sa/Default", "prod.eu-1_a.example.org", "/ns/staging/sa/Default"],
    ["spiffe://a/...", "a", "/..."],
    ["spiffe://a/.hidden/-/_", "a", "/.hidden/-/_"],
    [`spiffe://${"a".repeat(255)}/x`, "a".repeat(255), "/x"],
    [`spiffe://a/${"x".repeat(2048 - 11)}`, "a", `/${"x".repeat(2048 - 11)}`],
  ])("is %s", (text, trustDomain, path) => {
    expect(readSpiffeId(text)).toStrictEqual({ trustDomain, path });
  });

  it.each([
    "",
    "spiffe://",
    "spiffe:///path",
    "spiffe://example.org",
    "spiffe://example.org/",
    "spiffe://example.org//billing",
    "spiffe://example.org/billing/",
    "spiffe://example.org/./billing",
    "spiffe://example.org/../billing",
    "spiffe://example.org/a/..",
    "spiffe://example.org/%2e%2e/billing",
    "spiffe://example.org/bill%69ng",
    "spiffe://example.org/billing?x=1",
    "spiffe://example.org/billing#x",
    "spiffe://example.org:443/billing",
    "spiffe://user@example.org/billing",
    "spiffe://user:pw@example.org/billing",
    "spiffe://Example.org/billing",
    "spiffe://EXAMPLE.ORG/billing",
    "SPIFFE://example.org/billing",
    "Spiffe://example.org/billing",
    "spiffe:/example.org/billing",
    "spiffe:example.org/billing",
    "spiffe:\\\\example.org\\billing",
    "http://example.org/billing",
    " spiffe://example.org/billing",
    "spiffe://example.org/billing ",
    "spiffe://example.org/billing\n",
    "spiffe://example.org/bil\0ling",
    "spiffe://example.org\\evil/billing",
    "spiffe://example.org@evil/billing",
    "spiffe://[::1]/billing",
    "spiffe://exämple.org/billing",
    "spiffe://example.org/bïlling",
    "spiffe://example.org/billing\u200b",
    "spiffe://ex*mple.org/billing",
    "spiffe://example.org/*",
    "spiffe://example.org/a b",
    "spiffe://example.org/a+b",
    "spiffe://example.org/a:b",
    "spiffe://example.org/~a",
    `spiffe://${"a".repeat(256)}/x`,
    `spiffe://a/${"x".repeat(2048 - 10)}`,
  ])("is not %j", (text) => {
    expect(readSpiffeId(text)).toBeUndefined();
  });

  it("is no other kind of value", () => {
    for (const value of [undefined, null, 1, {}, ["spiffe://a/b"], new String("spiffe://a/b")]) expect(readSpiffeId(value)).toBeUndefined();
    for (const value of [undefined, "", "Example.org", "example.org/x", "a".repeat(256), "a:1", "a\n"]) expect(isTrustDomain(value)).toBe(false);
  });

  it("is what it was made of, and a URL reader sees the same", () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9._-]{1,8}$/).filter((text) => text !== "." && text !== "..");
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9._-]{1,20}$/), fc.array(segment, { minLength: 1, maxLength: 5 }), (domain, segments) => {
        const text = `spiffe://${domain}/${segments.join("/")}`;
        expect(readSpiffeId(text)).toStrictEqual({ trustDomain: domain, path: `/${segments.join("/")}` });
        const { host, pathname } = new URL(text);
        expect([host, pathname]).toStrictEqual([domain, `/${segments.join("/")}`]);
      }),
    );
  });
});
