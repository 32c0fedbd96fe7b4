import type { PublicKey } from "@ambit/core/token";
import type { Answer } from "./answer.ts";
import type { ApprovalRequest } from "./approval-request.ts";
import type { Approvers, KnownApprover } from "./approvers.ts";
import type { Approver, Demand } from "./demand.ts";

/** What tells who may answer. */
export interface Rights {
  readonly approvers: Approvers;
  /** What verifies answers that the decision point vouches for. */
  readonly ownKeys: () => readonly PublicKey[];
  /** Whether an id is an agent's: none approves. */
  readonly isAgent: (id: string) => boolean;
  /** Roles that people have besides those of the configuration; `removed` for who is not there any longer. */
  readonly rolesOf: (tenantId: string, userId: string) => Promise<readonly string[] | "removed">;
}

/** Whether an id is that of an agent: of one that is registered, of the one that asks, or of one above it. */
export function isAgentOf(rights: Rights, request: ApprovalRequest, id: string): boolean {
  return rights.isAgent(id) || id === request.agentId || request.above.includes(id);
}

/** Whoever can meet one of the demands can also say no. */
export async function mayAnswer(rights: Rights, request: ApprovalRequest, approver: string): Promise<boolean> {
  if (isAgentOf(rights, request, approver)) return false;
  if ((await rights.rolesOf(request.tenantId, approver)) === "removed") return false;
  const can = await Promise.all(request.demands.map((demand) => meets(rights, request, demand, approver)));
  return can.some((isMet) => isMet);
}

/** Whether somebody is one of those whom a demand asks for. */
export async function meets(rights: Rights, { tenantId, delegatorId }: ApprovalRequest, demand: Demand, approver: string): Promise<boolean> {
  if (demand.fourEyes && approver === delegatorId) return false;
  const names: Approver[] = [`user:${approver}`, ...(approver === delegatorId ? (["delegator"] as const) : [])];
  if (demand.by.some((by) => names.includes(by))) return true;
  const known = await rights.rolesOf(tenantId, approver);
  const roles = new Set([...(approverOf(rights, approver, tenantId)?.roles ?? []), ...(known === "removed" ? [] : known)]);
  return demand.by.some((by) => by.slice(0, 5) === "role:" && roles.has(by.slice(5)));
}

/** A person signs with their own key, and whoever has keys by nothing else; what is vouched for is signed by the decision point. */
export function isOwn(rights: Rights, { tenantId }: ApprovalRequest, { approver, key }: Answer): boolean {
  const keys = approverOf(rights, approver, tenantId)?.keys;
  if (keys !== undefined && keys.size > 0) return keys.has(key.thumbprint);
  return rights.ownKeys().some(({ thumbprint }) => thumbprint === key.thumbprint);
}

/** INVARIANT I12: the keys of those who approve in the tenant, and our own. */
export function keyOf(rights: Rights, kid: string, tenantId: string): PublicKey | undefined {
  const ours = rights.ownKeys().find(({ thumbprint }) => thumbprint === kid);
  if (ours !== undefined) return ours;
  for (const id of rights.approvers.keys()) {
    const key = approverOf(rights, id, tenantId)?.keys.get(kid);
    if (key !== undefined) return key;
  }
  return undefined;
}

/** INVARIANT I12: whoever approves in one tenant is nobody in another. */
function approverOf({ approvers }: Rights, id: string, tenantId: string): KnownApprover | undefined {
  const known = approvers.get(id);
  return known !== undefined && (known.tenants === "any" || known.tenants.has(tenantId)) ? known : undefined;
}
