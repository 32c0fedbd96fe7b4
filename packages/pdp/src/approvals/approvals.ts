import { AmbitError, isIdentifier, own, type DocumentStore, type Json, type JsonObject, type OnceKey, type StoredDocument } from "@ambit/core";
import type { PublicKey, SigningKey } from "@ambit/core/token";
import { readAnswer, signAnswer, type Answer } from "./answer.ts";
import { readRequest, writeRequest, type ApprovalRequest } from "./approval-request.ts";
import type { Approvers } from "./approvers.ts";
import type { Approver, ApprovalRule, Demand } from "./demand.ts";

/** How a request stands. */
export type ApprovalStatus = "pending" | "approved" | "denied" | "expired" | "used";

/** A request as people see it. */
export interface Approval {
  readonly id: string;
  readonly status: ApprovalStatus;
  readonly request: ApprovalRequest;
  readonly answers: readonly { readonly approver: string; readonly decision: Answer["decision"]; readonly at: number }[];
  /** Milliseconds since the epoch; after that nobody can answer, and what was approved is not any longer. */
  readonly expiresAt: number;
}

/** What somebody says to a request: with their own signature, or as the application says that they said it. */
export type GivenAnswer = { readonly id: string; readonly tenantId: string } & (
  { readonly signed: string } | { readonly approver: string; readonly decision: Answer["decision"]; readonly assertedBy: string }
);

export interface ApprovalSetting {
  readonly documents: DocumentStore;
  readonly rules: readonly ApprovalRule[];
  readonly approvers: Approvers;
  /** Milliseconds that a request waits, and that an approval is good for. */
  readonly lifetime: number;
  /** What answers that somebody else vouches for are signed with; older keys verify what they signed. */
  readonly signer: () => SigningKey;
  readonly ownKeys: () => readonly PublicKey[];
  /** Whether an id is an agent's: none approves. */
  readonly isAgent: (id: string) => boolean;
  /** Roles that people have besides those of the configuration. */
  readonly rolesOf: (tenantId: string, userId: string) => Promise<readonly string[]>;
  readonly now: () => number;
}

const COLLECTION = "approvals";
const ATTEMPTS = 8;

interface Stored {
  readonly number: number;
  readonly request: ApprovalRequest;
  readonly answers: readonly string[];
  readonly isUsed: boolean;
  readonly expiresAt: number;
}

/** The request for exactly this call as it stands now; a new one where there is none that anybody can still answer or use. */
export async function requestApproval(setting: ApprovalSetting, request: ApprovalRequest): Promise<{ readonly approval: Approval; readonly isNew: boolean }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await setting.documents.get(request.tenantId, COLLECTION, request.binding);
    // What it is about is what is asked now, whatever the store says it was.
    const stored = found === undefined ? undefined : { ...read(found), request };
    const approval = stored === undefined ? undefined : await viewOf(setting, stored);
    if (approval !== undefined && approval.status !== "expired" && approval.status !== "used") return { approval, isNew: false };
    const next: Stored = { number: (stored?.number ?? 0) + 1, request, answers: [], isUsed: false, expiresAt: setting.now() + setting.lifetime };
    if (await write(setting, next, found?.version ?? 0)) return { approval: await viewOf(setting, next), isNew: true };
  }
  throw new AmbitError("state_unavailable", "the request for approval could not be written");
}

/** What uses an approval up with the call that it is for. */
export function onceKeyOf({ id, expiresAt }: Approval): OnceKey {
  return { key: `approval.${id}`, until: expiresAt };
}

/** Marks an approval as used, so that the next call of the kind is a new request. */
export async function spendApproval(setting: ApprovalSetting, { tenantId, binding }: ApprovalRequest): Promise<void> {
  const found = await setting.documents.get(tenantId, COLLECTION, binding);
  if (found !== undefined) await write(setting, { ...read(found), isUsed: true }, found.version);
}

/** Requests of a tenant that still wait, from an id on. */
export async function listApprovals(setting: ApprovalSetting, tenantId: string, after = "", limit = 100): Promise<readonly Approval[]> {
  const found = await setting.documents.list(tenantId, COLLECTION, after, Math.min(limit, 1000));
  return Promise.all(found.map((document) => viewOf(setting, read(document))));
}

export async function getApproval(setting: ApprovalSetting, tenantId: string, id: string): Promise<Approval | undefined> {
  const found = await documentOf(setting, tenantId, id);
  return found === undefined ? undefined : viewOf(setting, read(found));
}

/**
 * Takes an answer. Throws `approval_invalid` for an answer to nothing, to what is answered already, by who may not, twice by the same person, or with a
 * signature that is not theirs; `approval_expired` when it comes too late.
 */
export async function answerApproval(setting: ApprovalSetting, given: GivenAnswer): Promise<{ readonly approval: Approval; readonly answer: Answer }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await documentOf(setting, given.tenantId, given.id);
    if (found === undefined) throw new AmbitError("approval_invalid", "there is no such request");
    const stored = read(found);
    const approval = await viewOf(setting, stored);
    if (approval.status === "expired") throw new AmbitError("approval_expired", "the request has expired");
    if (approval.status !== "pending") throw new AmbitError("approval_invalid", `the request is ${approval.status} already`);
    const text = "signed" in given ? given.signed : await vouched(setting, given, stored.request.binding);
    const answer = await readAnswer(text, (kid) => keyOf(setting, kid));
    if (answer === undefined || answer.request !== approval.id || answer.binding !== stored.request.binding)
      throw new AmbitError("approval_invalid", "the answer is not signed, or to another request");
    if (!(await isOwn(setting, answer)) || !(await mayAnswer(setting, stored.request, answer.approver)))
      throw new AmbitError("approval_invalid", `\`${answer.approver}\` may not answer this request`);
    if (approval.answers.some(({ approver }) => approver === answer.approver))
      throw new AmbitError("approval_invalid", `\`${answer.approver}\` has answered already`);
    const next: Stored = { ...stored, answers: [...stored.answers, text], expiresAt: setting.now() + setting.lifetime };
    if (await write(setting, next, found.version)) return { approval: await viewOf(setting, next), answer };
  }
  throw new AmbitError("state_unavailable", "the answer could not be written");
}

async function vouched(setting: ApprovalSetting, given: Extract<GivenAnswer, { readonly approver: string }>, binding: string): Promise<string> {
  const { approver, decision } = given;
  if (!isIdentifier(approver) || (decision !== "approve" && decision !== "deny"))
    throw new AmbitError("approval_invalid", "the answer names nobody, or says nothing");
  return signAnswer({ request: given.id, binding, approver, decision, now: setting.now() }, setting.signer());
}

/** INVARIANT I5: every answer is verified each time, under the keys and by the rights of now: who may not approve any longer has not approved. */
async function viewOf(setting: ApprovalSetting, stored: Stored): Promise<Approval> {
  const { request, number, isUsed } = stored;
  const id = idOf(request.binding, number);
  const answers: Answer[] = [];
  for (const text of stored.answers) {
    const answer = await readAnswer(text, (kid) => keyOf(setting, kid));
    const counts = answer?.request === id && answer.binding === request.binding && !answers.some(({ approver }) => approver === answer.approver);
    if (counts && (await isOwn(setting, answer)) && (await mayAnswer(setting, request, answer.approver))) answers.push(answer);
  }
  const last = Math.max(...answers.map(({ answeredAt }) => answeredAt * 1000 + setting.lifetime));
  const expiresAt = answers.length === 0 ? stored.expiresAt : Math.min(stored.expiresAt, last);
  const status = isUsed ? "used" : expiresAt <= setting.now() ? "expired" : await standing(setting, request, answers);
  return { id, status, request, expiresAt, answers: answers.map(({ approver, decision, answeredAt }) => ({ approver, decision, at: answeredAt * 1000 })) };
}

async function standing(setting: ApprovalSetting, request: ApprovalRequest, answers: readonly Answer[]): Promise<ApprovalStatus> {
  if (answers.some(({ decision }) => decision !== "approve")) return "denied";
  for (const demand of request.demands) {
    const counted = await Promise.all(answers.map(({ approver }) => meets(setting, request, demand, approver)));
    if (counted.filter((isMet) => isMet).length < demand.needed) return "pending";
  }
  return "approved";
}

/** Whoever can meet one of the demands can also say no. */
async function mayAnswer(setting: ApprovalSetting, request: ApprovalRequest, approver: string): Promise<boolean> {
  if (setting.isAgent(approver) || approver === request.agentId || request.above.includes(approver)) return false;
  const can = await Promise.all(request.demands.map((demand) => meets(setting, request, demand, approver)));
  return can.some((isMet) => isMet);
}

async function meets(setting: ApprovalSetting, { tenantId, delegatorId }: ApprovalRequest, demand: Demand, approver: string): Promise<boolean> {
  if (demand.fourEyes && approver === delegatorId) return false;
  const names: Approver[] = [`user:${approver}`, ...(approver === delegatorId ? (["delegator"] as const) : [])];
  if (demand.by.some((by) => names.includes(by))) return true;
  const roles = new Set([...(setting.approvers.get(approver)?.roles ?? []), ...(await setting.rolesOf(tenantId, approver))]);
  return demand.by.some((by) => by.startsWith("role:") && roles.has(by.slice("role:".length)));
}

/** A person signs with their own key; what is vouched for, the decision point. */
async function isOwn(setting: ApprovalSetting, { approver, key }: Answer): Promise<boolean> {
  const isOurs = setting.ownKeys().some(({ thumbprint }) => thumbprint === key.thumbprint);
  return isOurs || setting.approvers.get(approver)?.keys.has(key.thumbprint) === true;
}

function keyOf({ approvers, ownKeys }: ApprovalSetting, kid: string): PublicKey | undefined {
  const own = ownKeys().find(({ thumbprint }) => thumbprint === kid);
  if (own !== undefined) return own;
  for (const { keys } of approvers.values()) if (keys.has(kid)) return keys.get(kid);
  return undefined;
}

function idOf(binding: string, number: number): string {
  return `apr_${binding}.${number}`;
}

async function documentOf(setting: ApprovalSetting, tenantId: string, id: string): Promise<StoredDocument | undefined> {
  const [, binding, number] = /^apr_([A-Za-z0-9_-]{43})\.([1-9][0-9]{0,9})$/.exec(id) ?? [];
  const found = binding === undefined ? undefined : await setting.documents.get(tenantId, COLLECTION, binding);
  return found !== undefined && read(found).number === Number(number) ? found : undefined;
}

function read({ content }: StoredDocument): Stored {
  const member = (name: string): Json => own(content, name) ?? null;
  const [number, answers, expiresAt] = [member("number"), member("answers"), member("expiresAt")];
  const isReadable =
    Number.isSafeInteger(number) && Number.isSafeInteger(expiresAt) && Array.isArray(answers) && answers.every((text: Json) => typeof text === "string");
  if (!isReadable) throw new AmbitError("state_unavailable", "a request for approval cannot be read");
  return {
    number: number as number,
    request: readRequest(content),
    answers: answers as readonly string[],
    isUsed: member("isUsed") === true,
    expiresAt: expiresAt as number,
  };
}

/** Kept for a while after its end, so that who comes late hears why. */
function write(setting: ApprovalSetting, { number, request, answers, isUsed, expiresAt }: Stored, replaces: number): Promise<boolean> {
  const content: JsonObject = { number, request: writeRequest(request), answers, isUsed, expiresAt };
  return setting.documents.put(request.tenantId, COLLECTION, request.binding, content, replaces, expiresAt + setting.lifetime);
}
