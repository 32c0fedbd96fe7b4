import { randomBytes } from "node:crypto";
import { AmbitError, type DocumentStore, type JsonObject, type Pep } from "@ambit/core";
import { answerClient, type AuthorizationRequest } from "./authorization-request.ts";
import { PATIENCE } from "./browser.ts";
import { consentPage, lengthsOf } from "./consent-page.ts";
import type { Form } from "./form.ts";
import type { Grants } from "./grants.ts";
import type { OfferedPurpose, User } from "./options.ts";
import type { Places } from "./places.ts";
import type { Seal } from "./seal.ts";
import type { SignedIn } from "./sign-in.ts";
import type { Tokens } from "./tokens.ts";

export interface ConsentSetting {
  readonly places: Places;
  readonly purposes: readonly OfferedPurpose[];
  readonly pep: Pep;
  readonly seal: Seal;
  readonly documents: DocumentStore;
  readonly grants: Grants;
  readonly tokens: Tokens;
  readonly now: () => number;
}

/** A question to a user, which the form on the page carries along, sealed. */
export interface Pending {
  readonly id: string;
  /** The sign-in that it was asked after. */
  readonly state: string;
  readonly request: AuthorizationRequest;
  readonly user: JsonObject & User;
  readonly idToken: string;
}

/** Milliseconds between the answer and its redemption. */
const CODE_LIFETIME = 60_000;
const KIND = "consent";

/** Asks the user who signed in. */
export async function askForConsent(
  { seal, purposes }: ConsentSetting,
  state: string,
  request: AuthorizationRequest,
  { user, idToken }: SignedIn,
): Promise<Response> {
  const pending = { id: randomBytes(16).toString("base64url"), state, request, user: { ...user }, idToken };
  return consentPage(request, user, purposes, await seal.seal(KIND, pending, PATIENCE));
}

/** The question that a form answers; `undefined`: none that was asked, or too long ago. */
export async function pendingOf({ seal }: ConsentSetting, form: Form): Promise<Pending | undefined> {
  return (await seal.open(KIND, form.one("pending") ?? "")) as unknown as Pending | undefined;
}

/**
 * Takes the answer to a question, once; `undefined`: it was answered already, or with what was not offered. What is allowed begins one task, which ends when the client does not redeem it. A
 * task that is refused is told to the client, with the code of the refusal.
 */
export async function takeAnswer(setting: ConsentSetting, form: Form, { id, request, user, idToken }: Pending, cookie: string): Promise<Response | undefined> {
  const { places, documents, grants, tokens, pep, now } = setting;
  const isDenied = form.one("answer") !== "allow";
  const picked = isDenied ? undefined : pickedIn(form, setting.purposes);
  if (!isDenied && picked === undefined) return undefined;
  if (!(await documents.put(user.tenantId, "oauth_consents", id, {}, 0, now() + PATIENCE))) return undefined;
  if (picked === undefined) return answerClient(request, places, { error: "access_denied" }, cookie);
  const { purpose, resourceConstraints, budgets } = picked.offered;
  try {
    const task = await pep.begin({
      tenantId: user.tenantId,
      delegatorId: user.delegatorId,
      delegatorProof: idToken,
      purpose,
      allowedTools: picked.tools,
      resourceConstraints: typeof resourceConstraints === "function" ? resourceConstraints(user) : resourceConstraints,
      budgets,
      expiresIn: picked.minutes * 60_000,
    });
    const grant = await grants.open(task, request);
    const code = await tokens.issue("code", {
      tenant: grant.tenantId,
      grant: grant.id,
      until: Math.min(now() + CODE_LIFETIME, grant.until),
      client: request.clientId,
      redirect: request.redirectUri,
      challenge: request.challenge,
    });
    // Whoever spends it first: a task that nobody came for is nobody's.
    const sweep = async (): Promise<void> => {
      const spent = await tokens.spend("code", code);
      if (spent?.isFirst === true) await grants.end(grant.tenantId, grant.id);
    };
    setTimeout(() => void sweep().catch(() => undefined), CODE_LIFETIME - 1000).unref();
    return answerClient(request, places, { code }, cookie);
  } catch (error) {
    if (!AmbitError.isInstance(error)) throw error;
    return answerClient(request, places, { error: "access_denied", error_description: error.code }, cookie);
  }
}

/** What of what was offered; `undefined` for anything else. */
function pickedIn(form: Form, purposes: readonly OfferedPurpose[]) {
  const offered = purposes.find(({ purpose }) => purpose === form.one("purpose"));
  const [tools, minutes] = [form.all("tool"), Number(form.one("minutes"))];
  if (offered === undefined || !lengthsOf(offered).includes(minutes)) return undefined;
  if (tools.length === 0 || new Set(tools).size !== tools.length || !tools.every((tool) => Object.hasOwn(offered.tools, tool))) return undefined;
  return { offered, tools, minutes };
}
