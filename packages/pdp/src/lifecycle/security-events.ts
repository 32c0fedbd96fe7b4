import { AmbitError, digestOf, isIdentifier, type Json } from "@ambit/core";
import { clock } from "../clock.ts";
import { readSecurityEvents, type IgnoredEvent, type SecurityChange, type SecurityEvents } from "../directory/security-events.ts";
import type { Directory } from "../directory/directory.ts";
import { LONGEST_LIFE, REMEMBER_EXPIRED } from "../envelopes/chain.ts";
import { orRefuse } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { record } from "../steps/log.ts";
import { revoke } from "./revoke.ts";

/** What came of a security event token. */
export interface TakenEvents {
  readonly applied: readonly SecurityChange[];
  /** What the same token, sent before, has done already. */
  readonly repeated: readonly SecurityChange[];
  readonly ignored: readonly IgnoredEvent[];
}

const COLLECTION = "security_events";

/**
 * Does what a security event token says, once: a leaver is removed, of a delegator or a session what was given out is revoked. `payload` is of a token whose type and signature were
 * verified. Sent again, it changes nothing: what was begun since then goes on.
 *
 * Throws what `readSecurityEvents` throws, `proof_invalid` also for a token that is older than any envelope can be (90 days), for so long it is remembered; `option_invalid` where `users` is
 * not configured; `state_unavailable` and `log_unavailable` when it is not all done and recorded: then it has to be sent again.
 */
export async function takeSecurityEvents(setting: Setting, payload: unknown, audience: string): Promise<TakenEvents> {
  const { directory, counters } = setting;
  if (directory === undefined) throw new AmbitError("option_invalid", "`users` is not configured");
  const now = clock(setting);
  const events = readSecurityEvents(directory.model, payload, audience, now);
  if (!(events.issuedAt > now - LONGEST_LIFE)) throw new AmbitError("proof_invalid", "the security event token is older than 90 days");
  const [applied, repeated]: [SecurityChange[], SecurityChange[]] = [[], []];
  for (const [tenantId, changes] of byTenant(events.changes)) {
    const isNew = await takeOnce(setting, tenantId, events, changes, () => applyAll(setting, directory, events, changes));
    (isNew ? applied : repeated).push(...changes);
  }
  if (events.changes.length === 0) await recordIgnored(setting, events);
  for (const [outcome, { length }] of Object.entries({ applied, repeated, ignored: events.ignored }))
    if (length > 0) counters.securityEvents.add({ outcome }, length);
  return { applied, repeated, ignored: events.ignored };
}

/** INVARIANT I12: what is remembered of a token is remembered by tenant. */
function byTenant(changes: readonly SecurityChange[]): ReadonlyMap<string, readonly SecurityChange[]> {
  const tenants = new Map<string, SecurityChange[]>();
  for (const change of changes) tenants.set(change.tenantId, [...(tenants.get(change.tenantId) ?? []), change]);
  return tenants;
}

/**
 * Known by its issuer, its `jti` and what it says, so that an issuer that numbers two events alike loses none. Remembered when it is done: what broke off is done again, which takes away no
 * more than was asked for.
 */
async function takeOnce(
  setting: Setting,
  tenantId: string,
  { issuer, id, issuedAt }: SecurityEvents,
  changes: readonly SecurityChange[],
  run: () => Promise<void>,
): Promise<boolean> {
  const { documents } = setting;
  const name = digestOf([issuer, id, changes.map((change) => ({ ...change }))] as Json);
  const message = "it cannot be told whether the event was taken before";
  const known = await orRefuse("commit", "state_unavailable", message, () => documents.get(tenantId, COLLECTION, name));
  if (known !== undefined) return false;
  await run();
  await orRefuse("commit", "state_unavailable", message, () =>
    documents.put(tenantId, COLLECTION, name, { issuer }, 0, issuedAt + LONGEST_LIFE + REMEMBER_EXPIRED),
  );
  return true;
}

async function applyAll(setting: Setting, directory: Directory, events: SecurityEvents, changes: readonly SecurityChange[]): Promise<void> {
  const by = isIdentifier(events.issuer) ? events.issuer : "issuer";
  for (const change of changes) {
    const { tenantId, event: reason } = change;
    if (change.kind === "leaver") await directory.removeUser(tenantId, change.delegatorId);
    else await revoke(setting, { tenantId, scope: change.kind, id: change.kind === "session" ? change.session : change.delegatorId, by, reason });
  }
  await recordEvents(setting, (changes[0] as SecurityChange).tenantId, events, changes);
}

/** Of an event that concerns nobody here there is one record, however often it is sent to this process. */
async function recordIgnored(setting: Setting, events: SecurityEvents): Promise<void> {
  const name = digestOf([events.issuer, events.id]);
  if (setting.ignoredEvents.get(name) !== undefined) return;
  await recordEvents(setting, "unknown", events, []);
  setting.ignoredEvents.set(name, true);
}

async function recordEvents(setting: Setting, tenant: string, { issuer, id, ignored }: SecurityEvents, changes: readonly SecurityChange[]): Promise<void> {
  const party = { tenant, task: "any", lineage: "any", envelope: "any", agent: "any" };
  await record(setting, "security_event", party, `set_${digestOf([issuer, id]).slice(-43)}`, {
    issuer,
    jti: id,
    changes: changes.map(({ tenantId: _, ...change }) => change),
    ignored,
  });
}
