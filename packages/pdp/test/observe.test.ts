import { createPep, type Pep } from "@ambit/core";
import { reportOf, type LogRecord } from "@ambit/core/audit";
import { describe, expect, it } from "vitest";
import { serviceScene } from "./server/scene.ts";
import { BEGIN, fixture } from "./support/fixture.ts";

const CHILD = { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"], expiresIn: "5m" } as const;
const modes = (records: readonly LogRecord[]): readonly unknown[] => records.map(({ kind, details }) => [kind, details["decision"], details["mode"]]);

describe("what is only observed", () => {
  it("says so on the record: its beginning and its hand-offs as well as its calls", async () => {
    const { pdp, now, records } = await fixture();
    const pep = createPep({ pdp, agent: "reviewer", now, deadline: 10_000, mode: "observe" });
    await pep.begin({ ...BEGIN, purpose: "anything" });
    const task = await pep.begin(BEGIN);
    await pep.handOff(task, CHILD);
    await pep.handOff(task, { ...CHILD, allowedTools: ["mail.send"] });
    expect(modes(records())).toEqual([
      ["begin", "deny", "observe"],
      ["begin", "permit", "observe"],
      ["hand_off", "permit", "observe"],
      ["hand_off", "deny", "observe"],
    ]);
    const { refusals, wouldBeDenied } = reportOf(records());
    expect([refusals, wouldBeDenied.map(({ code }) => code)]).toEqual([[], ["not_narrower", "purpose_mismatch"]]);
  });

  it("says so over the service, under signed envelopes too", async () => {
    const { client, keys, now, records } = await serviceScene();
    const pep: Pep = createPep({ pdp: client, agent: "reviewer", keys, now, deadline: 10_000, mode: "observe" });
    await pep.begin({ ...BEGIN, purpose: "anything" });
    await pep.handOff(await pep.begin(BEGIN), CHILD);
    expect(modes(records())).toEqual([
      ["begin", "deny", "observe"],
      ["begin", "permit", "observe"],
      ["hand_off", "permit", "observe"],
    ]);
  });

  it("is told from what is enforced", async () => {
    const { pep, records } = await fixture();
    await pep.handOff(await pep.begin(BEGIN), CHILD);
    expect(modes(records())).toEqual([
      ["begin", "permit", undefined],
      ["hand_off", "permit", undefined],
    ]);
  });
});
