import {
  AmbitError,
  isIdentifier,
  isJsonObject,
  own,
  randomText,
  type DocumentStore,
  type Json,
  type JsonObject,
  type OnceKey,
  type StoredDocument,
} from "@ambit/core";
import type { PublicKey, SigningKey } from "@ambit/core/token";
import { readAnswer, signAnswer, type Answer } from "./answer.ts";
import { readRequest, writeRequest, type ApprovalRequest } from "./approval-request.ts";
import type { Approvers, KnownApprover } from "./approvers.ts";
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
  /** Roles that people have besides those of the configuration; `removed` for who is not there any longer. */
  readonly rolesOf: (tenantId: string, userId: string) => Promise<readonly string[] | "removed">;
  readonly now: () => number;
}

const COLLECTION = "approvals";
const ATTEMPTS = 8;

interface Stored {
  /** Tells this request from others of the same call, before it and after it: an answer to one is none to another. */
  readonly nonce: string;
  readonly request: ApprovalRequest;
  readonly answers: readonly string[];
  readonly isUsed: boolean;
  readonly createdAt: number;
}

/**
 * The request for exactly this call as it stands now; a new one where there is none that anybody can still answer or use. `onNew` is awaited before the new one is there
 * for anybody: what is not on the record nobody is asked.
 */
export async function requestApproval(setting: ApprovalSetting, request: ApprovalRequest, onNew: (approval: Approval) => Promise<void>): Promise<Approval> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await setting.documents.get(request.tenantId, COLLECTION, request.binding);
    // What it is about is what is asked now, whatever the store says it was.
    const stored = found === undefined ? undefined : { ...read(found), request };
    const approval = stored === undefined ? undefined : await viewOf(setting, stored);
    if (approval !== undefined && approval.status !== "expired" && approval.status !== "used") return approval;
    const next: Stored = { nonce: randomText(12), request, answers: [], isUsed: false, createdAt: setting.now() };
    const made = await viewOf(setting, next);
    await onNew(made);
    if (await write(setting, next, found?.version ?? 0)) return made;
  }
  throw new AmbitError("state_unavailable", "the request for approval could not be written");
}

/** What uses an approval up with the call that it is for; remembered for as long as the lineage, whatever becomes of the request. */
export function onceKeyOf({ id }: Approval, until: number): OnceKey {
  return { key: `approval.${id}`, until };
}

/** Marks an approval as used, so that the next call of the kind is a new request. */
export async function spendApproval(setting: ApprovalSetting, { tenantId, binding }: ApprovalRequest): Promise<void> {
  const found = await setting.documents.get(tenantId, COLLECTION, binding);
  if (found !== undefined) await write(setting, { ...read(found), isUsed: true }, found.version);
}

/** Requests of a tenant, those after the one with this id. */
export async function listApprovals(setting: ApprovalSetting, tenantId: string, after = "", limit = 100): Promise<readonly Approval[]> {
  const found = await setting.documents.list(tenantId, COLLECTION, bindingOf(after) ?? after, Math.min(limit, 1000));
  return Promise.all(found.map((document) => viewOf(setting, read(document))));
}

export async function getApproval(setting: ApprovalSetting, tenantId: string, id: string): Promise<Approval | undefined> {
  const found = await documentOf(setting, tenantId, id);
  return found === undefined ? undefined : viewOf(setting, read(found));
}

/**
 * Takes an answer. Throws `approval_invalid` for an answer to nothing, to what is answered already, by who may not, twice by the same person, or with a
 * signature that is not theirs; `approval_expired` when it comes too late. `onAnswer` is awaited before the answer counts for anybody.
 */
export async function answerApproval(
  setting: ApprovalSetting,
  given: GivenAnswer,
  onAnswer: (approval: Approval, answer: Answer) => Promise<void>,
): Promise<Approval> {
  let recorded: string | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await documentOf(setting, given.tenantId, given.id);
    if (found === undefined) throw new AmbitError("approval_invalid", "there is no such request");
    const stored = read(found);
    const approval = await viewOf(setting, stored);
    if (approval.status === "expired") throw new AmbitError("approval_expired", "the request has expired");
    if (approval.status !== "pending") throw new AmbitError("approval_invalid", `the request is ${approval.status} already`);
    const text = recorded ?? ("signed" in given ? given.signed : await vouched(setting, given, stored.request.binding));
    const answer = await readAnswer(text, (kid) => keyOf(setting, kid, given.tenantId));
    if (answer === undefined || !isAbout(answer, stored)) throw new AmbitError("approval_invalid", "the answer is not signed, or to another request");
    if (!(await isOwn(setting, answer, given.tenantId)) || !(await mayAnswer(setting, stored.request, answer.approver)))
      throw new AmbitError("approval_invalid", `\`${answer.approver}\` may not answer this request`);
    if (!isInTime(setting, answer, stored)) throw new AmbitError("approval_expired", "the answer is from another time");
    if (approval.answers.some(({ approver }) => approver === answer.approver))
      throw new AmbitError("approval_invalid", `\`${answer.approver}\` has answered already`);
    const next: Stored = { ...stored, answers: [...stored.answers, text] };
    const answered = await viewOf(setting, next);
    if (recorded === undefined) await onAnswer(answered, answer);
    recorded = text;
    if (await write(setting, next, found.version)) return answered;
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
  const { request, isUsed, createdAt } = stored;
  const id = idOf(stored);
  const answers: Answer[] = [];
  for (const text of stored.answers) {
    const answer = await readAnswer(text, (kid) => keyOf(setting, kid, request.tenantId));
    const counts =
      answer !== undefined && isAbout(answer, stored) && isInTime(setting, answer, stored) && !answers.some(({ approver }) => approver === answer.approver);
    if (counts && (await isOwn(setting, answer, request.tenantId)) && (await mayAnswer(setting, request, answer.approver))) answers.push(answer);
  }
  // A request waits for so long, and each answer counts for so long, however many others come after it.
  const expiresAt = answers.length === 0 ? createdAt + setting.lifetime : Math.min(...answers.map(({ answeredAt }) => answeredAt * 1000 + setting.lifetime));
  const status = isUsed ? "used" : expiresAt <= setting.now() ? "expired" : await standing(setting, request, answers);
  return { id, status, request, expiresAt, answers: answers.map(({ approver, decision, answeredAt }) => ({ approver, decision, at: answeredAt * 1000 })) };
}

function isAbout(answer: Answer, stored: Stored): boolean {
  return answer.request === idOf(stored) && answer.binding === stored.request.binding;
}

/** Not before it was asked for (in whole seconds), and not longer ago than an answer counts. */
function isInTime({ now, lifetime }: ApprovalSetting, { answeredAt }: Answer, { createdAt }: Stored): boolean {
  const [at, time] = [answeredAt * 1000, now()];
  return at + 1000 > createdAt && at <= time + 1000 && at + lifetime > time;
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
  if ((await setting.rolesOf(request.tenantId, approver)) === "removed") return false;
  const can = await Promise.all(request.demands.map((demand) => meets(setting, request, demand, approver)));
  return can.some((isMet) => isMet);
}

async function meets(setting: ApprovalSetting, { tenantId, delegatorId }: ApprovalRequest, demand: Demand, approver: string): Promise<boolean> {
  if (demand.fourEyes && approver === delegatorId) return false;
  const names: Approver[] = [`user:${approver}`, ...(approver === delegatorId ? (["delegator"] as const) : [])];
  if (demand.by.some((by) => names.includes(by))) return true;
  const known = await setting.rolesOf(tenantId, approver);
  const roles = new Set([...(approverOf(setting, approver, tenantId)?.roles ?? []), ...(known === "removed" ? [] : known)]);
  return demand.by.some((by) => by.slice(0, 5) === "role:" && roles.has(by.slice(5)));
}

/** A person signs with their own key, and whoever has keys by nothing else; what is vouched for is signed by the decision point. */
async function isOwn(setting: ApprovalSetting, { approver, key }: Answer, tenantId: string): Promise<boolean> {
  const keys = approverOf(setting, approver, tenantId)?.keys;
  if (keys !== undefined && keys.size > 0) return keys.has(key.thumbprint);
  return setting.ownKeys().some(({ thumbprint }) => thumbprint === key.thumbprint);
}

/** INVARIANT I12: whoever approves in one tenant is nobody in another. */
function approverOf({ approvers }: ApprovalSetting, id: string, tenantId: string): KnownApprover | undefined {
  const known = approvers.get(id);
  return known !== undefined && (known.tenants === "any" || known.tenants.has(tenantId)) ? known : undefined;
}

function keyOf(setting: ApprovalSetting, kid: string, tenantId: string): PublicKey | undefined {
  const ours = setting.ownKeys().find(({ thumbprint }) => thumbprint === kid);
  if (ours !== undefined) return ours;
  for (const id of setting.approvers.keys()) {
    const key = approverOf(setting, id, tenantId)?.keys.get(kid);
    if (key !== undefined) return key;
  }
  return undefined;
}

function idOf({ request, nonce }: Stored): string {
  return `apr_${request.binding}.${nonce}`;
}

/** Of an id; `undefined` for what is none. */
function bindingOf(id: string): string | undefined {
  return /^apr_([A-Za-z0-9_-]{43})\.[A-Za-z0-9_-]{16}$/.exec(id)?.[1];
}

async function documentOf(setting: ApprovalSetting, tenantId: string, id: string): Promise<StoredDocument | undefined> {
  const binding = bindingOf(id);
  const found = binding === undefined ? undefined : await setting.documents.get(tenantId, COLLECTION, binding);
  return found !== undefined && idOf(read(found)) === id ? found : undefined;
}

function read({ content }: StoredDocument): Stored {
  const member = (name: string): Json => own(content, name) ?? null;
  const [nonce, answers, createdAt, request] = [member("nonce"), member("answers"), member("createdAt"), member("request")];
  const isReadable =
    typeof nonce === "string" &&
    Number.isSafeInteger(createdAt) &&
    isJsonObject(request) &&
    Array.isArray(answers) &&
    answers.every((text: Json) => typeof text === "string");
  if (!isReadable) throw new AmbitError("state_unavailable", "a request for approval cannot be read");
  return { nonce, request: readRequest(content), answers: answers as readonly string[], isUsed: member("isUsed") === true, createdAt: createdAt as number };
}

/** Kept for a while after its end, so that who comes late hears why. */
function write(setting: ApprovalSetting, { nonce, request, answers, isUsed, createdAt }: Stored, replaces: number): Promise<boolean> {
  const content: JsonObject = { nonce, request: writeRequest(request), answers, isUsed, createdAt };
  return setting.documents.put(request.tenantId, COLLECTION, request.binding, content, replaces, setting.now() + 2 * setting.lifetime);
}
