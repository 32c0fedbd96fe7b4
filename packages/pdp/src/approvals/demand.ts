import { isIdentifier, isToolId, type Envelope, type JsonObject } from "@ambit/core";
import type { Reader } from "../config/reader.ts";
import type { Effect, ToolEntry } from "../manifest/manifest.ts";

/** Who can answer: the delegator, one user, or whoever has a role. */
export type Approver = "delegator" | `user:${string}` | `role:${string}`;

/** What has to be there before a call may run. */
export interface Demand {
  /** How many different people have to approve. */
  readonly needed: number;
  readonly by: readonly Approver[];
  /** Whether it has to be somebody else than the delegator. */
  readonly fourEyes: boolean;
}

/** Which calls need an approval that their envelope does not ask for. A rule that names nothing is about every call. */
export interface ApprovalRule extends Demand {
  readonly tools: ReadonlySet<string> | undefined;
  readonly effects: ReadonlySet<Effect> | undefined;
  readonly sendsOutside: boolean | undefined;
}

/** What an envelope asks for with `approvals`, where no rule says more. */
const BY_DELEGATOR: Demand = Object.freeze({ needed: 1, by: Object.freeze(["delegator"] as const), fourEyes: false });

/** Everything that a call waits for; each has to be met. */
export function demandsOn(rules: readonly ApprovalRule[], envelope: Pick<Envelope, "approvals">, tool: ToolEntry): readonly Demand[] {
  const demands: readonly Demand[] = rules.filter((rule) => isAbout(rule, tool));
  return demands.length === 0 && envelope.approvals.includes(tool.id) ? [BY_DELEGATOR] : demands;
}

function isAbout({ tools, effects, sendsOutside }: ApprovalRule, tool: ToolEntry): boolean {
  return (
    (tools === undefined || tools.has(tool.id)) &&
    (effects === undefined || effects.has(tool.effect)) &&
    (sendsOutside === undefined || tool.sendsOutside === sendsOutside)
  );
}

/** Reads a rule. Refuses (`config_invalid`) one that nobody could meet. */
export function parseRule(reader: Reader): ApprovalRule {
  reader.members([], ["tools", "effects", "sends_outside", "needed", "by", "four_eyes"]);
  const [tools, effects, outside, by, fourEyes] = ["tools", "effects", "sends_outside", "by", "four_eyes"].map((member) => reader.at(member)) as [
    Reader,
    Reader,
    Reader,
    Reader,
    Reader,
  ];
  const needed = reader.at("needed").isAbsent ? 1 : reader.at("needed").count();
  const approvers = by.isAbsent ? (["delegator"] as const) : by.texts(isApprover, "`delegator`, `user:…` or `role:…`");
  const isFourEyes = !fourEyes.isAbsent && fourEyes.flag();
  const isEveryoneNamed = approvers.every((approver) => approver.slice(0, 5) !== "role:");
  if (needed < 1) reader.at("needed").fail("must be at least 1");
  if (isEveryoneNamed && approvers.filter((approver) => !(isFourEyes && approver === "delegator")).length < needed)
    reader.fail("needs more people than it names");
  return Object.freeze({
    tools: tools.isAbsent ? undefined : new Set(tools.texts(isToolId, "a tool id")),
    effects: effects.isAbsent ? undefined : new Set(effects.elements().map((effect) => effect.oneOf("read", "write", "destructive"))),
    sendsOutside: outside.isAbsent ? undefined : outside.flag(),
    needed,
    by: approvers as readonly Approver[],
    fourEyes: isFourEyes,
  });
}

export function writeDemand({ needed, by, fourEyes }: Demand): JsonObject {
  return { needed, by, four_eyes: fourEyes };
}

/** Reads what `writeDemand` writes; the order of `by` is part of it. */
export function readDemand(reader: Reader): Demand {
  reader.members(["needed", "by", "four_eyes"]);
  const by = reader.at("by").elements();
  return {
    needed: reader.at("needed").count(),
    by: by.map((each) => each.textThat(isApprover, "`delegator`, `user:…` or `role:…`")) as readonly Approver[],
    fourEyes: reader.at("four_eyes").flag(),
  };
}

function isApprover(value: unknown): value is string {
  if (value === "delegator") return true;
  const [kind, id] = typeof value === "string" ? [value.slice(0, 5), value.slice(5)] : [];
  return (kind === "user:" || kind === "role:") && isIdentifier(id);
}
