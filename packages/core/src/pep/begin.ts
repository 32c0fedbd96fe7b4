import { randomText } from "../data/digest.ts";
import { copyData, type JsonObject } from "../data/json.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { serializeEnvelope } from "../envelope/wire.ts";
import { AmbitError } from "../errors.ts";
import type { BeginRequest } from "../pdp/pdp.ts";
import { ACTS, renewalArgs, type Holding, type Presentation } from "../pdp/presentation.ts";
import type { BeginOptions, Lifetime, RenewOptions } from "./pep.ts";
import { modeOf, present, type PepSetting } from "./present.ts";
import { milliseconds } from "./time.ts";

/** The question that begins a task. */
export function beginRequest(setting: PepSetting, options: BeginOptions): BeginRequest {
  const { agent } = setting;
  const envelope = {
    delegator_id: options.delegatorId,
    tenant_id: options.tenantId,
    session_id: options.sessionId ?? `sess_${randomText(9)}`,
    task_id: options.taskId ?? `task_${randomText(9)}`,
    purpose: options.purpose,
    agent_id: agent,
    allowed_tools: options.allowedTools,
    may_delegate: options.mayDelegate,
    denied_tools: options.deniedTools,
    resource_constraints: options.resourceConstraints,
    budgets: options.budgets,
    approvals: options.approvals,
    max_depth: options.maxDepth,
    expires_at: endOf(options, setting.now()),
  };
  return { ...askedBy(setting, options), ...modeOf(setting), envelope: wire(envelope), agent, instruction: options.instruction };
}

/** The question that goes on from a task: its envelope with what is to change, and the proof that it is its holder who asks. */
export async function renewRequest(setting: PepSetting, holding: Holding, from: Envelope, options: RenewOptions): Promise<BeginRequest> {
  const { purpose = from.purpose, allowedTools, mayDelegate, deniedTools, resourceConstraints, budgets, approvals } = options;
  const namesTools = allowedTools !== undefined || mayDelegate !== undefined;
  const envelope = wire({
    ...serializeEnvelope(from),
    purpose,
    ...(namesTools ? { allowed_tools: allowedTools ?? [], may_delegate: mayDelegate ?? [] } : {}),
    denied_tools: deniedTools ?? from.deniedTools,
    resource_constraints: resourceConstraints ?? from.resourceConstraints,
    budgets: budgets ?? from.budgets,
    approvals: approvals ?? from.approvals,
    expires_at: endOf(options, setting.now()),
  });
  const own = askedBy(setting, options);
  // What is behind a handle goes on behind one.
  const asked = holding.kind === "chain" ? own : { ...own, holder: undefined };
  const continues: Presentation = await present(setting, holding, { name: ACTS.renew, args: renewalArgs(envelope, asked.holder) });
  return { ...asked, envelope, agent: setting.agent, continues };
}

/** Who asks, and with which key. */
function askedBy(setting: PepSetting, { delegatorProof }: Pick<BeginOptions, "delegatorProof">): Pick<BeginRequest, "assertedBy" | "proof" | "holder"> {
  const key = setting.keys.get(setting.agent);
  return {
    ...(delegatorProof === undefined ? { assertedBy: "app" } : { assertedBy: "proof", proof: delegatorProof }),
    ...(key === undefined ? {} : { holder: key.public.jwk }),
  };
}

function wire(envelope: object): JsonObject {
  return copyData(envelope, "envelope_malformed", "the envelope") as JsonObject;
}

function endOf({ expiresIn, expiresAt }: Lifetime, now: number): string | undefined {
  if ((expiresIn === undefined) === (expiresAt === undefined)) throw new AmbitError("option_invalid", "give one of `expiresIn` and `expiresAt`");
  const end = expiresIn === undefined ? expiresAt : now + milliseconds(expiresIn, "expiresIn");
  return typeof end === "number" ? isoInstant(end) : end;
}

function isoInstant(time: number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) throw new AmbitError("option_invalid", "`expiresAt` is not a time");
  return date.toISOString();
}
