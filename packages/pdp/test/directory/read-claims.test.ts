import { describe, expect, it } from "vitest";
import { parseUserModel, readClaims } from "../../src/directory/index.ts";
import { codeOf } from "../../../core/test/support/codes.ts";

const MODEL = parseUserModel({
  roles: ["support", "approver"],
  attributes: { department: "string", level: "long", on_call: "boolean", regions: "strings" },
  issuers: {
    "https://one.example": {
      id: { claim: "sub", prefix: "one:" },
      tenant: { claim: "https://one.example/tenant", among: ["acme", "globex"] },
      roles: { pointer: "/realm_access/roles", map: { "crm-support": "support", admin: "approver" } },
      attributes: {
        department: { claim: "dept" },
        level: { pointer: "/profile/level", required: true },
        on_call: { claim: "on_call" },
        regions: { claim: "regions" },
      },
    },
    "https://two.example": { id: { claim: "email" }, tenant: { id: "acme" }, roles: { claim: "roles", required: true } },
    "https://any.example": { id: { claim: "sub" }, tenant: { claim: "tid", among: "any" } },
  },
});
const ONE = {
  iss: "https://one.example",
  sub: "ann",
  "https://one.example/tenant": "acme",
  realm_access: { roles: ["crm-support", "offline_access", "support"] },
  dept: "sales",
  profile: { level: 3 },
};
const TWO = { iss: "https://two.example", email: "ann@two.example", roles: ["support", "other", "constructor"] };

describe("claims", () => {
  it("say who the user is, of which tenant, with which roles and attributes", () => {
    expect(readClaims(MODEL, ONE)).toEqual({
      tenantId: "acme",
      user: { id: "one:ann", roles: ["support"], attributes: { department: "sales", level: 3 }, source: "https://one.example" },
    });
  });

  it("without a map name the roles that are declared, and others are nothing", () => {
    expect(readClaims(MODEL, TWO).user.roles).toEqual(["support"]);
    expect(readClaims(MODEL, { ...TWO, roles: "approver" }).user.roles).toEqual(["approver"]);
    expect(readClaims(MODEL, { ...TWO, roles: [] }).user.roles).toEqual([]);
  });

  it("may leave out what is not required", () => {
    const { realm_access: _, dept: __, ...rest } = ONE;
    expect(readClaims(MODEL, rest).user).toMatchObject({ roles: [], attributes: { level: 3 } });
    expect(readClaims(MODEL, { iss: "https://any.example", sub: "x", tid: "whatever" })).toMatchObject({
      tenantId: "whatever",
      user: { id: "x", roles: [], attributes: {} },
    });
  });

  it.each<readonly [string, unknown, string]>([
    ["an issuer that is not configured", { ...ONE, iss: "https://one.example/" }, "proof_invalid"],
    ["an inherited name for an issuer", { ...ONE, iss: "constructor" }, "proof_invalid"],
    ["no issuer", { sub: "ann" }, "proof_invalid"],
    ["a tenant that the issuer does not speak for", { ...ONE, "https://one.example/tenant": "initech" }, "tenant_mismatch"],
    ["two tenants", { ...ONE, "https://one.example/tenant": ["acme", "globex"] }, "tenant_mismatch"],
    ["no tenant", { iss: "https://any.example", sub: "x" }, "tenant_mismatch"],
    ["a tenant that is no id", { iss: "https://any.example", sub: "x", tid: "a b" }, "tenant_mismatch"],
    ["no id", { ...ONE, sub: "" }, "proof_invalid"],
    ["an id that is no text", { ...ONE, sub: 7 }, "proof_invalid"],
    ["an id with a line break", { ...ONE, sub: "ann\n" }, "proof_invalid"],
    ["roles that are no list", { ...ONE, realm_access: { roles: { support: true } } }, "proof_invalid"],
    ["roles that are no text", { ...ONE, realm_access: { roles: ["crm-support", 1] } }, "proof_invalid"],
    ["no roles where they are required", { iss: TWO.iss, email: TWO.email }, "proof_invalid"],
    ["no attribute where it is required", { ...ONE, profile: {} }, "proof_invalid"],
    ["an attribute of another type", { ...ONE, profile: { level: "3" } }, "proof_invalid"],
    ["an attribute that is null", { ...ONE, dept: null }, "proof_invalid"],
    ["an attribute that Cedar would take for an entity", { ...ONE, dept: { __entity: { type: "Role", id: "support" } } }, "proof_invalid"],
    ["no claims at all", null, "proof_invalid"],
  ])("are refused with %s", (_, claims, code) => {
    expect(codeOf(() => readClaims(MODEL, claims))).toBe(code);
  });

  it("count only as own members", () => {
    expect(codeOf(() => readClaims(MODEL, Object.create(TWO)))).toBe("proof_invalid");
  });
});
