import { AmbitError, isIdentifier, randomText, type DocumentStore, type OnceKey } from "@ambit/core";
import type { SigningKey } from "@ambit/core/token";
import { readAnswer, signAnswer, type Answer } from "./answer.ts";
import type { Approval, ApprovalStatus, BudgetLeft } from "./approval.ts";
import { bindingOf, type ApprovalRequest } from "./approval-request.ts";
import type { ApprovalRule } from "./demand.ts";
import { isAgentOf, isOwn, keyOf, mayAnswer, meets, type Rights } from "./rights.ts";
import { findAbout, findById, idOf, listStored, write, type StoredApproval } from "./stored-approval.ts";

/** What somebody says to a request: with their own signature, or as the application says that they said it. */
export type GivenAnswer = { readonly id: string; readonly tenantId: string } & ({ readonly signed: string } | VouchedAnswer);

interface VouchedAnswer {
  readonly approver: string;
  readonly decision: Answer["decision"];
  readonly assertedBy: string;
  /** Whose token it came with, where that names an agent besides the person: what an agent was given for itself is nobody's answer. */
  readonly agentId?: string | undefined;
}

export interface ApprovalSetting extends Rights {
  readonly documents: DocumentStore;
  readonly rules: readonly ApprovalRule[];
  /** Milliseconds that a request waits, and that an approval is good for. */
  readonly lifetime: number;
  /** What answers that somebody else vouches for are signed with; older keys verify what they signed. */
  readonly signer: () => SigningKey;
  readonly now: () => number;
}

const ATTEMPTS = 8;

/**
 * The request for exactly this call as it stands now; a new one where there is none that anybody can still answer or use. `prepare` says what would be left of budgets then, and
 * `onNew` is awaited before the new one is there for anybody: what is not on the record nobody is asked.
 */
export async function requestApproval(
  setting: ApprovalSetting,
  request: ApprovalRequest,
  prepare: () => Promise<readonly BudgetLeft[]>,
  onNew: (approval: Approval) => Promise<void>,
): Promise<Approval> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { stored, version } = await findAbout(setting.documents, request.tenantId, bindingOf(request));
    // What it is about is what is asked now, whatever the store says it was.
    const approval = stored === undefined ? undefined : await viewOf(setting, { ...stored, request });
    if (approval !== undefined && approval.status !== "expired" && approval.status !== "used") return approval;
    const left = await prepare();
    const next: StoredApproval = { nonce: randomText(12), request, left, answers: [], isUsed: false, createdAt: setting.now() };
    const made = await viewOf(setting, next);
    await onNew(made);
    if (await put(setting, next, version)) return made;
  }
  throw new AmbitError("state_unavailable", "the request for approval could not be written");
}

/** What uses an approval up with the call that it is for; remembered for as long as the lineage, whatever becomes of the request. */
export function onceKeyOf({ id }: Approval, until: number): OnceKey {
  return { key: `approval.${id}`, until };
}

/** Marks an approval as used, so that the next call of the kind is a new request. */
export async function spendApproval(setting: ApprovalSetting, request: ApprovalRequest): Promise<void> {
  const { stored, version } = await findAbout(setting.documents, request.tenantId, bindingOf(request));
  if (stored !== undefined) await put(setting, { ...stored, request, isUsed: true }, version);
}

/** Requests of a tenant, those after the one with this id. */
export async function listApprovals(setting: ApprovalSetting, tenantId: string, after = "", limit = 100): Promise<readonly Approval[]> {
  const found = await listStored(setting.documents, tenantId, after, Math.min(limit, 1000));
  return Promise.all(found.map((stored) => viewOf(setting, stored)));
}

export async function getApproval(setting: ApprovalSetting, tenantId: string, id: string): Promise<Approval | undefined> {
  const found = await findById(setting.documents, tenantId, id);
  return found === undefined ? undefined : viewOf(setting, found.stored);
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
    const found = await findById(setting.documents, given.tenantId, given.id);
    if (found === undefined) throw new AmbitError("approval_invalid", "there is no such request");
    const { stored, version } = found;
    const approval = await viewOf(setting, stored);
    if (approval.status === "expired") throw new AmbitError("approval_expired", "the request has expired");
    if (approval.status !== "pending") throw new AmbitError("approval_invalid", `the request is ${approval.status} already`);
    const text = recorded ?? ("signed" in given ? given.signed : await vouched(setting, given, approval));
    const answer = await readAnswer(text, (kid) => keyOf(setting, kid, given.tenantId));
    if (answer === undefined || !isAbout(answer, approval)) throw new AmbitError("approval_invalid", "the answer is not signed, or to another request");
    if (!isOwn(setting, stored.request, answer) || !(await mayAnswer(setting, stored.request, answer.approver)))
      throw new AmbitError("approval_invalid", `\`${answer.approver}\` may not answer this request`);
    if (!isInTime(setting, answer, stored)) throw new AmbitError("approval_expired", "the answer is from another time");
    if (approval.answers.some(({ approver }) => approver === answer.approver))
      throw new AmbitError("approval_invalid", `\`${answer.approver}\` has answered already`);
    const next: StoredApproval = { ...stored, answers: [...stored.answers, text] };
    const answered = await viewOf(setting, next);
    if (recorded === undefined) await onAnswer(answered, answer);
    recorded = text;
    if (await put(setting, next, version)) return answered;
  }
  throw new AmbitError("state_unavailable", "the answer could not be written");
}

async function vouched(setting: ApprovalSetting, { approver, decision, agentId }: VouchedAnswer, approval: Approval): Promise<string> {
  if (!isIdentifier(approver) || (decision !== "approve" && decision !== "deny"))
    throw new AmbitError("approval_invalid", "the answer names nobody, or says nothing");
  if (agentId !== undefined && isAgentOf(setting, approval.request, agentId))
    throw new AmbitError("approval_invalid", `the answer came with a token of the agent \`${agentId}\``);
  return signAnswer({ approval, approver, decision, now: setting.now() }, setting.signer());
}

/** INVARIANT I5: every answer is verified each time, under the keys and by the rights of now: who may not approve any longer has not approved. */
async function viewOf(setting: ApprovalSetting, stored: StoredApproval): Promise<Approval> {
  const { request, left, isUsed, createdAt } = stored;
  const about = { id: idOf(stored), request };
  const answers: Answer[] = [];
  for (const text of stored.answers) {
    const answer = await readAnswer(text, (kid) => keyOf(setting, kid, request.tenantId));
    const counts =
      answer !== undefined && isAbout(answer, about) && isInTime(setting, answer, stored) && !answers.some(({ approver }) => approver === answer.approver);
    if (counts && isOwn(setting, request, answer) && (await mayAnswer(setting, request, answer.approver))) answers.push(answer);
  }
  // A request waits for so long, and each answer counts for so long, however many others come after it.
  const expiresAt = answers.length === 0 ? createdAt + setting.lifetime : Math.min(...answers.map(({ answeredAt }) => answeredAt * 1000 + setting.lifetime));
  const status = isUsed ? "used" : expiresAt <= setting.now() ? "expired" : await standing(setting, request, answers);
  return { ...about, status, left, expiresAt, answers: answers.map(({ approver, decision, answeredAt }) => ({ approver, decision, at: answeredAt * 1000 })) };
}

function isAbout(answer: Answer, { id, request }: Pick<Approval, "id" | "request">): boolean {
  return answer.request === id && answer.binding === bindingOf(request);
}

/** Not before it was asked for (in whole seconds), and not longer ago than an answer counts. */
function isInTime({ now, lifetime }: ApprovalSetting, { answeredAt }: Answer, { createdAt }: StoredApproval): boolean {
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

/** Kept for a while after its end, so that who comes late hears why. */
function put(setting: ApprovalSetting, stored: StoredApproval, replaces: number): Promise<boolean> {
  return write(setting.documents, stored, replaces, setting.now() + 2 * setting.lifetime);
}
