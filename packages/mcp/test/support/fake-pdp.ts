import type { Obligation } from "@ambit/core";

export { deny, enforcement, naming, permit, scriptedPdp as fakePdp, type ScriptedPdp as FakePdp } from "@ambit/conformance";

/** At most `max` elements of the list `records`. */
export function limitRecords(max: number): Obligation {
  return { id: "ob_1", type: "limit_records", properties: { pointer: "/records", max } };
}
