import { AmbitError, isJsonObject, own, type DocumentStore, type Json, type JsonObject, type StoredDocument } from "@ambit/core";
import { Reader } from "../config/reader.ts";
import { readLeft, type BudgetLeft } from "./approval.ts";
import { approvalId, bindingIn } from "./approval-id.ts";
import { bindingOf, readRequest, writeRequest, type ApprovalRequest } from "./approval-request.ts";

/** A request as it is kept. Whoever can write to the store could write anything: what counts of it is bound by digest and signature. */
export interface StoredApproval {
  /** Tells this request from others of the same call, before it and after it: an answer to one is none to another. */
  readonly nonce: string;
  readonly request: ApprovalRequest;
  readonly left: readonly BudgetLeft[];
  readonly answers: readonly string[];
  readonly isUsed: boolean;
  readonly createdAt: number;
}

const COLLECTION = "approvals";

export function idOf({ request, nonce }: StoredApproval): string {
  return approvalId(bindingOf(request), nonce);
}

/** The latest request about something, and the version of its document; with 0 there is none. */
export async function findAbout(
  documents: DocumentStore,
  tenantId: string,
  binding: string,
): Promise<{ readonly stored: StoredApproval | undefined; readonly version: number }> {
  const found = await documents.get(tenantId, COLLECTION, binding);
  return found === undefined ? { stored: undefined, version: 0 } : { stored: read(found), version: found.version };
}

/** The request with this id, if it is still the latest about the same; what is kept of another tenant, or about something else, is not there. */
export async function findById(
  documents: DocumentStore,
  tenantId: string,
  id: string,
): Promise<{ readonly stored: StoredApproval; readonly version: number } | undefined> {
  const binding = bindingIn(id);
  if (binding === undefined) return undefined;
  const { stored, version } = await findAbout(documents, tenantId, binding);
  return stored !== undefined && idOf(stored) === id && stored.request.tenantId === tenantId ? { stored, version } : undefined;
}

/** Requests of a tenant, those after the one with this id. */
export async function listStored(documents: DocumentStore, tenantId: string, after: string, limit: number): Promise<readonly StoredApproval[]> {
  return (await documents.list(tenantId, COLLECTION, bindingIn(after) ?? after, limit)).map(read);
}

/** Writes it where the latest is still the one of that version. */
export function write(documents: DocumentStore, stored: StoredApproval, replaces: number, keepUntil: number): Promise<boolean> {
  const { nonce, request, left, answers, isUsed, createdAt } = stored;
  const content: JsonObject = { nonce, request: writeRequest(request), left: left.map((each) => ({ ...each })), answers, isUsed, createdAt };
  return documents.put(request.tenantId, COLLECTION, bindingOf(request), content, replaces, keepUntil);
}

/** Refuses (`state_unavailable`) what `write` cannot have written. */
function read({ content }: StoredDocument): StoredApproval {
  const member = (name: string): Json => own(content, name) ?? null;
  const [nonce, answers, createdAt, request] = [member("nonce"), member("answers"), member("createdAt"), member("request")];
  const isReadable =
    typeof nonce === "string" &&
    Number.isSafeInteger(createdAt) &&
    isJsonObject(request) &&
    Array.isArray(answers) &&
    answers.every((text: Json) => typeof text === "string");
  if (!isReadable) throw new AmbitError("state_unavailable", "a request for approval cannot be read");
  const what = "a stored request for approval";
  return {
    nonce,
    request: readRequest(new Reader("state_unavailable", what, request)),
    left: new Reader("state_unavailable", what, member("left")).elements().map(readLeft),
    answers: answers as readonly string[],
    isUsed: member("isUsed") === true,
    createdAt: createdAt as number,
  };
}
