import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { connectorHeaders, createEgress } from "../../src/egress/index.ts";
import { outgoingHeaders } from "../../src/egress/headers.ts";
import { hostileVectors } from "../support/hostile-vectors.ts";
import { codeOf } from "../support/outcome.ts";

interface HeaderVectors {
  readonly vectors: readonly { readonly value: string; readonly expect: string }[];
  readonly names: readonly { readonly name: string; readonly expect: string }[];
}
const vectors = hostileVectors<HeaderVectors>("header-values.json");

describe.skipIf(vectors === undefined)("hostile headers", () => {
  it("have values that are refused", async () => {
    for (const { value, expect: expected } of vectors?.vectors ?? []) {
      const result = await codeOf(() => connectorHeaders({ "x-api-key": value }));
      expect(result, JSON.stringify(value.slice(0, 40))).toEqual(expected === "allow" ? { "x-api-key": value } : "egress_refused");
    }
    expect(vectors?.vectors.length).toBeGreaterThan(8);
  });

  it("have names that are refused", async () => {
    for (const { name, expect: expected } of vectors?.names ?? []) {
      expect(expected).toBe("deny");
      expect(await codeOf(() => connectorHeaders({ [name]: "1" })), name).toBe("egress_refused");
    }
    expect(vectors?.names.length).toBeGreaterThan(7);
  });
});

describe("headers", () => {
  it("of a connector carry credentials, by names in lower case", () => {
    expect(connectorHeaders({ Authorization: "Bearer a.b-c", Cookie: "s=1; t=2", "X-API-Key": "k" })).toEqual({
      authorization: "Bearer a.b-c",
      cookie: "s=1; t=2",
      "x-api-key": "k",
    });
  });

  it("of the connection, and those that only the gateway says, are refused in either spelling and any case", async () => {
    for (const name of [
      "Connection",
      "keep-alive",
      "Proxy_Authorization",
      "TE",
      "Trailer",
      "UPGRADE",
      "expect",
      "Forwarded",
      "Via",
      "X_Forwarded_For",
      "x-real-ip",
      "Content_Length",
    ]) {
      expect(await codeOf(() => outgoingHeaders({ [name]: "1" })), name).toBe("egress_refused");
    }
    for (const name of ["Mcp-Method", "MCP_SESSION_ID", "dpop", "Txn_Token", "workload-proof-token"]) {
      expect(await codeOf(() => connectorHeaders({ [name]: "1" })), name).toBe("egress_refused");
      expect(Object.keys(outgoingHeaders({ [name]: "1" }))).toHaveLength(1);
    }
  });

  it("that come twice are refused, also as `_` and `-`", async () => {
    const twice = [
      [
        ["a", "1"],
        ["A", "2"],
      ],
      [
        ["x-a", "1"],
        ["x_a", "2"],
      ],
    ] as [string, string][][];
    for (const headers of twice) expect(await codeOf(() => outgoingHeaders(headers))).toBe("egress_refused");
    expect(await codeOf(() => outgoingHeaders({ "x-a": "1", X_A: "2" }))).toBe("egress_refused");
  });

  it("are what RFC 9110 allows, whatever comes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (name, value) => {
        let headers: Record<string, string>;
        try {
          headers = outgoingHeaders([[name, value]]);
        } catch {
          return;
        }
        for (const [key, text] of Object.entries(headers)) {
          expect(key).toMatch(/^[!#$%&'*+.^_`|~0-9a-z-]+$/);
          expect(text).toBe(value);
          expect(text).toMatch(/^[\t\x20-\x7e]+$/);
        }
      }),
    );
    expect(Object.keys(outgoingHeaders(JSON.parse('{"__proto__":"1","constructor":"2"}') as Record<string, string>))).toEqual(["__proto__", "constructor"]);
  });

  it("are refused before anything can repeat their value", async () => {
    const { fetch } = createEgress({ origins: ["https://api.example.com"] });
    const value = "hunter2hunter2\r\nX: 1";
    for (const headers of [
      { authorization: value },
      [["authorization", value]],
      { [value]: "1" },
      { "a b": "hunter2hunter2" },
      [
        ["a", "hunter2hunter2"],
        ["a", "x"],
      ],
    ]) {
      const error: unknown = await fetch("https://api.example.com/", { headers: headers as Record<string, string> }).catch((reason: unknown) => reason);
      expect((error as { code: unknown }).code).toBe("egress_refused");
      expect(String((error as Error).stack)).not.toContain("hunter2");
    }
  });
});
