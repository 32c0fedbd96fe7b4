import { canonicalJson, isIdentifier, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import { writeApproval, type Approval } from "../../approvals/approval.ts";
import type { ApprovalDesk } from "../../approvals/desk.ts";
import { mayActFor, type Authenticated } from "../../server/callers.ts";
import type { Route, RouteAnswer, RouteCall } from "../../server/route.ts";
import { asObject, given, readContext, readDeed, readThing, reasonOf } from "../question.ts";
import { tellAuthzen } from "../routes.ts";

/** AuthZEN Access Request and Approval Profile 1.0, the working group's draft of 2026-06. Another draft is another module. */

export const ACCESS_REQUEST_PATH = "/access/v1/requests";

const CAPABILITY = "urn:openid:authzen:capability:access-request";

/** What the metadata of a decision point say that takes access requests. */
export function accessRequestMetadata(url: string): JsonObject {
  return { access_request_endpoint: url + ACCESS_REQUEST_PATH, capabilities: [CAPABILITY] };
}

/** A request for approval as the task that it is. What was approved is asked again, as it was: `used` says that it has been. */
export function taskOf(approval: Approval, url: string): JsonObject {
  const { request, status, expiresAt } = approval;
  const id = taskIdOf(request.tenantId, approval.id);
  const isApproved = status === "approved" || status === "used";
  const until = new Date(expiresAt).toISOString();
  const task = { id, status: isApproved ? "approved" : status, status_endpoint: `${url}${ACCESS_REQUEST_PATH}/${id}`, expires_at: until };
  if (!isApproved) return { task };
  const answeredAt = Math.max(...approval.answers.map(({ at }) => at));
  const approvedAt = Number.isFinite(answeredAt) ? { approved_at: new Date(answeredAt).toISOString() } : {};
  return { task, result: { mode: "reevaluate", approval: { id: approval.id, ...approvedAt, approved_until: until } } };
}

/**
 * A request for approval as the submission that it came of, for whoever brings it before people: posted to the endpoint as it is, it is answered with the task. `approval` is ours: the request as the service
 * shows it.
 */
export function submissionOf(approval: Approval): JsonObject {
  const { id, request, expiresAt } = approval;
  const { tenantId, agentId, delegatorId, purpose, taskId, tool } = request;
  return {
    subject: { type: "user", id: delegatorId },
    action: { name: tool },
    resource: { type: "tool", id: tool },
    context: { tenant: tenantId, agent: agentId, purpose, task: taskId, arguments: request.arguments },
    denial: { evaluation_id: id, expires_at: new Date(expiresAt).toISOString() },
    approval: writeApproval(approval),
  };
}

export interface AccessRequestOptions {
  /** What `EmbeddedPdp.approvals` is. */
  readonly approvals: Pick<ApprovalDesk, "get">;
  /** The URL by which clients know the decision point, without a slash at its end. */
  readonly url: string;
  /** Seconds that whoever polls is asked to wait. @defaultValue 5 */
  readonly retryAfter?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * The endpoints of the profile, for enforcement points. The request for approval is there since the call was denied, so a submission makes nothing new: it shows that it is about that
 * very call, and is told how it stands. Answering is for people, elsewhere; nobody cancels here.
 */
export function accessRequestRoutes(options: AccessRequestOptions): readonly Route[] {
  const { approvals, url, retryAfter = 5, now } = options;
  const told = (approval: Approval, status: number): RouteAnswer => {
    const json = taskOf(approval, url);
    const { task } = json as { readonly task: JsonObject };
    const wait = task["status"] === "pending" ? { "retry-after": String(retryAfter) } : {};
    return { status, json, headers: { ...wait, ...(status === 200 ? {} : { location: String(task["status_endpoint"]) }) } };
  };
  const found = async (caller: Authenticated | undefined, tenantId: string, id: string): Promise<Approval | undefined> =>
    // INVARIANT I12: what is of another tenant is not there.
    caller !== undefined && mayActFor(caller, tenantId) ? approvals.get(tenantId, id) : undefined;

  const submit = async ({ json, caller }: RouteCall): Promise<RouteAnswer> => {
    const submission = readSubmission(json);
    if ("answer" in submission) return submission.answer;
    const { evaluation, tenant, expiresAt } = submission;
    const approval = await found(caller, tenant, evaluation);
    if (approval === undefined || !isAbout(approval, submission))
      return problem("invalid_denial_binding", "the submission is not about a call that was denied");
    if (expiresAt <= now() || approval.status === "expired") return problem("expired_denial", "the denial has expired; ask for the decision again");
    return told(approval, approval.status === "pending" ? 202 : 201);
  };

  return [
    { method: "POST", path: ACCESS_REQUEST_PATH, role: "enforce", tell: tellAuthzen, handle: submit },
    {
      method: "GET",
      path: `${ACCESS_REQUEST_PATH}/:id`,
      role: "enforce",
      tell: tellAuthzen,
      handle: async ({ caller, params }) => {
        const task = readTaskId(params["id"] ?? "");
        const approval = task === undefined ? undefined : await found(caller, task.tenantId, task.id);
        if (approval === undefined) return problem("unknown_task", "there is no such task");
        // What was approved and what was not: past its time it is neither.
        return approval.status === "expired" ? problem("task_expired", "the task has expired") : told(approval, 200);
      },
    },
  ];
}

interface Submission {
  readonly evaluation: string;
  readonly tenant: string;
  /** Milliseconds since the epoch, as the denial said. */
  readonly expiresAt: number;
  readonly delegator: string;
  readonly tool: string;
  readonly resource: string;
  readonly context: JsonObject;
}

function readSubmission(json: Json | undefined): Submission | { readonly answer: RouteAnswer } {
  try {
    const message = asObject(json);
    if (given(message, "items") !== undefined) return { answer: problem("not_requestable", "several calls are several requests") };
    const [subject, action, resource, context] = [readThing(message, "subject"), readDeed(message), readThing(message, "resource"), readContext(message)];
    const denial = given(message, "denial");
    const [evaluation, expires] = isJsonObject(denial) ? [given(denial, "evaluation_id"), given(denial, "expires_at")] : [];
    const tenant = own(context, "tenant");
    const expiresAt = typeof expires === "string" ? Date.parse(expires) : Number.NaN;
    if (typeof evaluation !== "string" || !Number.isFinite(expiresAt) || subject.type !== "user" || resource.type !== "tool" || !isIdentifier(tenant))
      return { answer: problem("invalid_denial_binding", "the submission names no denial, no `user`, no `tool` or no `context.tenant`") };
    return { evaluation, tenant, expiresAt, delegator: subject.id, tool: action.name, resource: resource.id, context };
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    return { answer: problem("invalid_denial_binding", reason) };
  }
}

/** Whether a submission is about the call that waits: everything that the answer is bound to and that it names is the same. */
function isAbout({ request }: Approval, { delegator, tool, resource, context }: Submission): boolean {
  const bound: JsonObject = {
    tenant: request.tenantId,
    agent: request.agentId,
    purpose: request.purpose,
    task: request.taskId,
    delegator: request.delegatorId,
    arguments: request.arguments,
  };
  const isSame = (name: string): boolean => {
    const said = own(context, name);
    return said === undefined || canonicalJson(said) === canonicalJson(bound[name] as Json);
  };
  // The arguments are what a person reads: who submits has to say them.
  return (
    request.delegatorId === delegator &&
    request.tool === tool &&
    resource === tool &&
    own(context, "arguments") !== undefined &&
    Object.keys(bound).every(isSame)
  );
}

/** RFC 9457, with the types of the profile. */
const PROBLEMS = {
  not_requestable: [400, "Access is not requestable"],
  expired_denial: [410, "The denial has expired"],
  invalid_denial_binding: [400, "The request cannot be bound to a denial"],
  unknown_task: [404, "The task is unknown"],
  task_expired: [410, "The task has expired"],
} as const;

function problem(name: keyof typeof PROBLEMS, detail: string): RouteAnswer {
  const [status, title] = PROBLEMS[name];
  const body = JSON.stringify({ type: `urn:openid:authzen:access-request:error:${name}`, title, status, detail });
  return { status, text: { type: "application/problem+json", body } };
}

/** Opaque to others. It cannot be guessed, because the id of an approval cannot. */
function taskIdOf(tenantId: string, id: string): string {
  return `arq_${Buffer.from(JSON.stringify([tenantId, id])).toString("base64url")}`;
}

function readTaskId(text: string): { readonly tenantId: string; readonly id: string } | undefined {
  try {
    const encoded = /^arq_([A-Za-z0-9_-]+)$/.exec(text)?.[1] ?? "";
    const [tenantId, id, ...more] = JSON.parse(Buffer.from(encoded, "base64url").toString("utf8")) as readonly unknown[];
    return isIdentifier(tenantId) && isIdentifier(id) && more.length === 0 && taskIdOf(tenantId, id) === text ? { tenantId, id } : undefined;
  } catch {
    return undefined; // not one of ours
  }
}
