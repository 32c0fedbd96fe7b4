import { describe, expect, it } from "vitest";
import type { Json } from "../../src/data/json.ts";
import { trustAnchor, type TrustAnchor } from "../../src/token/anchors.ts";
import { codeOf } from "../support/codes.ts";
import { chain, chainVerdict, ISSUER, ISSUER_PAIR, NOW, pair } from "./mint.ts";

const ISSUED = NOW - 300;
const anchor = (times: object, issuer = ISSUER): TrustAnchor => trustAnchor({ issuer, jwk: ISSUER_PAIR.jwk, ...times } as Json);
const under = (...anchors: readonly TrustAnchor[]): Promise<string> => chainVerdict(chain(2), { anchors: () => anchors });

describe("an anchor that ends", () => {
  it("verifies what was issued while it was one, both seconds included, and nothing else", async () => {
    expect(await under(anchor({ not_before: ISSUED, not_after: ISSUED }))).toBe("permitted");
    expect(await under(anchor({ not_after: ISSUED - 1 }))).toBe("envelope_signature_invalid 3k 0");
    expect(await under(anchor({ not_before: ISSUED + 1 }))).toBe("envelope_signature_invalid 3k 0");
  });

  it("leaves the others of its key and name to verify", async () => {
    expect(await under(anchor({ not_after: ISSUED - 1 }), anchor({ not_before: ISSUED }))).toBe("permitted");
    expect(await under(anchor({ not_after: ISSUED - 1 }), anchor({}, "https://other.example.com"))).toBe("envelope_signature_invalid 3k 0");
    expect(await under(anchor({}, "https://other.example.com"))).toBe("chain_broken 3k 0");
  });

  it("that ends at no number verifies nothing", async () => {
    for (const bound of [Number.NaN, Number.NEGATIVE_INFINITY, {} as never, "soon" as never]) {
      expect(await under({ ...anchor({}), notAfter: bound })).toBe("envelope_signature_invalid 3k 0");
    }
    expect(await under({ ...anchor({}), notBefore: Number.NaN })).toBe("envelope_signature_invalid 3k 0");
  });
});

describe("an anchor from configuration", () => {
  it("has what was said of it", () => {
    const { jwk } = ISSUER_PAIR;
    expect(trustAnchor({ issuer: ISSUER, jwk, kid: "k", not_before: 1, not_after: 2 })).toMatchObject({ issuer: ISSUER, kid: "k", notBefore: 1, notAfter: 2 });
    expect(Object.keys(trustAnchor({ issuer: ISSUER, jwk }))).toStrictEqual(["issuer", "key"]);
  });

  it.each<[string, Json]>([
    ["no object", []],
    ["another member", { issuer: ISSUER, jwk: pair().jwk, notAfter: 1 }],
    ["an end that is text", { issuer: ISSUER, jwk: pair().jwk, not_after: "2030" }],
    ["an end between two seconds", { issuer: ISSUER, jwk: pair().jwk, not_after: 1.5 }],
    ["a beginning that is null", { issuer: ISSUER, jwk: pair().jwk, not_before: null }],
    ["a name that is no URI", { issuer: "issuer", jwk: pair().jwk }],
    ["a `kid` that is no text", { issuer: ISSUER, jwk: pair().jwk, kid: 1 }],
    ["no key", { issuer: ISSUER }],
  ])("with %s is refused", (_, json) => {
    expect(codeOf(() => trustAnchor(json))).toBe("option_invalid");
  });
});
