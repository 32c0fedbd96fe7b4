import { readFileSync } from "node:fs";
import { readApproval } from "@ambit/pdp";
import { expect, it } from "vitest";

it("the example of the specification has the binding that the specification says", () => {
  const text = readFileSync(new URL("../../../../spec/approval.md", import.meta.url), "utf8");
  const binding = /has the binding `([\w-]{43})`/.exec(text)?.[1] ?? "";
  const about: unknown = JSON.parse(/```json\n(.*?)```/s.exec(text)?.[1] ?? "null");
  const approval = { id: `apr_${binding}.${"A".repeat(16)}`, status: "pending", about, left: [], answers: [], expires_at: "2026-05-12T18:30:00Z" };
  expect(readApproval(approval).request.arguments).toEqual({ customer: "cust_acme_1042", total: 12_500 });
});
