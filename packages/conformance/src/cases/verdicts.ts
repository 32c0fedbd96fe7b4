import type { EnvelopeSource } from "@ambit/core";
import { expect } from "../runner.ts";
import { casesFor, type Group } from "../case.ts";
import type { Harness } from "../harness.ts";
import { VERDICTS, type Holder, type Row } from "../verdicts.ts";
import { codeIn, runOne, watch } from "../watch.ts";
import { createWorld, type HoldingKind, type World } from "../world.ts";

/** The same calls with the same verdicts in every adapter: the table says them, and nothing about an adapter. */
export function verdicts(harness: Harness, holding: HoldingKind): Group {
  const { about } = casesFor(harness);
  const judge = async ({ tool: name, args, holder = "own", returns, isMalformed, code }: Row): Promise<void> => {
    const world = await createWorld({ holding, server: harness.server });
    const { pep, envelope } = await holderOf(world, holder);
    const { tool, ran } = watch(harness, { name, ...(returns === undefined ? {} : { run: () => returns }) });
    const { shown, everything } = await runOne(harness, { pep, envelope, tool, call: { id: "call-1", name, args } });
    if (isMalformed === true && shown.isError && codeIn(shown) === undefined) return expect([ran, world.records("decision")]).toEqual([[], []]);
    expect(codeIn(shown) ?? (shown.isError ? shown.text : "permit")).toBe(code);
    expect(ran).toEqual(code === "permit" || code === "obligation_unsupported" ? [args] : []);
    const [recorded] = world.records("decision");
    // What is for the operator alone is on the record, and nowhere else.
    const inside = [recorded?.details["hint"], "conformance.cedar", "costly"].filter((text) => typeof text === "string");
    for (const text of inside) expect(everything).not.toContain(text);
    if (holder === "none") expect(recorded).toBeUndefined();
    else expect(recorded?.details).toMatchObject(ran.length > 0 ? { decision: "permit" } : { code });
  };
  return {
    title: `the very same call has the very same verdict in every adapter (${holding})`,
    cases: VERDICTS.map((row) => about(`${row.title}: ${row.code}`, () => judge(row))),
  };
}

async function holderOf({ pep, begin, advance, pdp }: World, holder: Holder): Promise<{ readonly pep: World["pep"]; readonly envelope: EnvelopeSource }> {
  if (holder === "none") return { pep, envelope: undefined };
  const task = await begin(holder === "short" ? { expiresIn: "1m" } : {});
  switch (holder) {
    case "short":
      advance(60_000);
      break;
    case "ended":
      await task.end();
      break;
    case "revoked":
      advance(1000);
      await pdp.revoke({ tenantId: "tenant_1", scope: "delegator", id: "user_1", by: "conformance" });
      break;
    case "classifier": {
      const child = await pep.handOff(task, { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read", "crm.read", "tickets.create"] });
      return { pep: pep.as("classifier"), envelope: child };
    }
    case "own":
      break;
  }
  return { pep, envelope: task };
}
