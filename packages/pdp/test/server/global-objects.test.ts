import { getRequestListener } from "@hono/node-server";
import { describe, expect, it } from "vitest";

describe("the service in a process whose `Request` and `Response` Hono has replaced before", () => {
  it("answers like any other", async () => {
    const own = globalThis.Response;
    getRequestListener(() => new Response());
    expect(globalThis.Response).not.toBe(own);
    const { serviceScene } = await import("./scene.ts");
    const { url, pep } = await serviceScene();
    const { BEGIN, outcomeOf } = await import("../support/fixture.ts");
    for (let round = 0; round < 2; round++) {
      const answer = await fetch(`${url}/healthz`);
      expect([answer.status, await answer.text()]).toEqual([200, '{"status":"ok"}']);
      expect((await fetch(`${url}/nowhere`)).status).toBe(404);
    }
    expect(await outcomeOf(pep, await pep.begin(BEGIN), "contracts_read", { contract_id: "k1" }, { customer_id: "c1" })).toBe("permit");
  });
});
