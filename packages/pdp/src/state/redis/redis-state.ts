import type { DocumentStore, StateStore } from "@ambit/core";
import { checkLimit, documentsOver, type DocumentRow, type DocumentRows } from "../documents.ts";
import { createBatches, type AskAll } from "./batches.ts";
import { COMMIT } from "./commit-script.ts";
import type { Connection } from "./connection.ts";
import { GET_DOCUMENT, LIST_DOCUMENTS, PUT_DOCUMENT, SWEEP_DOCUMENTS } from "./document-scripts.ts";
import { END } from "./end-script.ts";
import { documentKeysBeside, documentKeysOf, duePattern, endsPattern, keysBeside, keysOf, quoted } from "./keys.ts";
import { ADMIT, ADMITTED, FACTS, LABEL, REVOKE, REVOKED_AT, SWEEP, UNSETTLED } from "./lineage-scripts.ts";
import type { Script } from "./script.ts";
import { openServer, type RedisServer, type RedisStateOptions } from "./server.ts";
import { reconciled, reconcileText, settled, unsettledCall, type ReconcileReply, type SettleReply, type UnsettledReply } from "./settled-texts.ts";
import { SPENT } from "./spent-script.ts";
import { callKey, commitText, timeOf, committed, labelsPart, factsOf, usedPart, type CommitReply, type Facts } from "./texts.ts";

/** A store that holds a connection. */
export interface RedisState extends StateStore, DocumentStore, AsyncDisposable {
  /** Waits for what is under way, no longer than the timeout; what is asked afterwards is rejected. */
  close(): Promise<void>;
}

/**
 * State on a Redis (7.0 or later) or Valkey server, for any number of processes. Refuses (`config_invalid`) options it cannot use, a server that evicts keys, a replica;
 * and (`state_unavailable`) a server that cannot be reached. Each method is one script, hence one transaction and one round trip, on the primary;
 * commits that are asked for at the same time share one, as do redemptions and settlements. It rejects
 * (`state_unavailable`) what was not answered in time, and works again without a restart when the server does.
 *
 * @remarks
 * A method that was rejected may have taken effect, or may yet. That is safe: the same call asked again is answered with what was committed (`repeated`), a grant that
 * nobody was told of is never redeemed and holds its reservation only until it expires, and a revocation or a settlement can be repeated.
 *
 * The server must keep what it confirmed, or what was spent, used or revoked is not (I5, I6, I7). With `appendonly yes` and `appendfsync always` nothing that was confirmed
 * is lost by a crash; with `everysec` up to about a second of it is; without either, everything since the last snapshot. Replication is asynchronous: a failover
 * loses what the new primary had not received, and `WAIT` or `min-replicas-to-write` make that less likely and shorter, not impossible. Where budgets must survive the
 * loss of a machine, use PostgreSQL with synchronous replication. Revocations and everything else are read from the primary, so no lagging replica answers.
 *
 * What is kept goes at the latest a good month after the tenant's last envelope expired, by itself; most of it as calls come in, or with `sweep`.
 */
export async function createRedisState(options: RedisStateOptions): Promise<RedisState> {
  return stateOn(await openServer(options));
}

function stateOn({ connection, prefix, timeout }: RedisServer): RedisState {
  const run = (script: Script, tenantId: string, ...args: string[]): Promise<unknown> => connection.run(script, keysOf(prefix, tenantId), args);
  const askAll =
    (script: Script): AskAll =>
    async (tenantId, questions) =>
      (await run(script, tenantId, `[${questions.join(",")}]`)) as readonly unknown[];
  const commitAll = createBatches(askAll(COMMIT), timeout);
  const endAll = createBatches(askAll(END), timeout);
  const close = (): Promise<void> => connection.close();

  return {
    commit: async (commit) => committed(commit, (await commitAll(commit.tenantId, commitText(commit))) as CommitReply),
    redeem: async (key, grantId, callDigest, now) => {
      const time = Number.isFinite(now) ? now : Number.MAX_VALUE;
      const text = JSON.stringify({ call: callKey(key), grant: quoted(grantId), digest: quoted(callDigest), now: time });
      return (await endAll(key.tenantId, text)) as "redeemed" | "replayed" | "expired" | "unknown";
    },
    settle: async ({ decisionId, grantId, action, used, observed, ...key }) => {
      const text = JSON.stringify({ action, call: callKey(key), decision: quoted(decisionId), grant: quoted(grantId), used: usedPart(used), observed });
      const reply = (await endAll(key.tenantId, text)) as SettleReply | null;
      return reply === null ? undefined : settled(reply);
    },
    unsettled: async (tenantId, after, limit) => {
      checkLimit(limit);
      const range = after === undefined ? "-" : `(${callKey(after)}`;
      return ((await run(UNSETTLED, tenantId, range, String(limit))) as readonly UnsettledReply[]).map(unsettledCall);
    },
    reconcile: async (reconciliation) => reconciled(reconciliation, (await endAll(reconciliation.tenantId, reconcileText(reconciliation))) as ReconcileReply),
    facts: async (tenantId, lineage) => factsOf((await run(FACTS, tenantId, quoted(lineage))) as Facts),
    spent: async (tenantId, accountIds, now) => ((await run(SPENT, tenantId, String(timeOf(now)), ...accountIds.map(quoted))) as readonly string[]).map(Number),
    label: async (tenantId, lineage, labels, keepUntil) => {
      await run(LABEL, tenantId, quoted(lineage), JSON.stringify(labelsPart(labels)), String(timeOf(keepUntil)));
    },
    admit: async (tenantId, envelopeId, keepUntil) => (await run(ADMIT, tenantId, quoted(envelopeId), String(timeOf(keepUntil)))) === 1,
    admitted: async (tenantId, envelopeIds) => ((await run(ADMITTED, tenantId, ...envelopeIds.map(quoted))) as readonly number[]).map((isIn) => isIn === 1),
    revoke: async (tenantId, scopes, at, keepUntil) => {
      await run(REVOKE, tenantId, String(timeOf(at)), String(timeOf(keepUntil)), ...scopes.map(quoted));
    },
    revokedAt: async (tenantId, scopes) =>
      ((await run(REVOKED_AT, tenantId, ...scopes.map(quoted))) as readonly string[]).map((at) => (at === "" ? null : Number(at))),
    sweep: async (now) => {
      const time = String(timeOf(now));
      const sweeps = [
        { pattern: duePattern(prefix), script: SWEEP, beside: keysBeside },
        { pattern: endsPattern(prefix), script: SWEEP_DOCUMENTS, beside: documentKeysBeside },
      ];
      for (const node of await connection.primaries()) {
        for (const { pattern, script, beside } of sweeps) {
          let cursor = "0";
          do {
            const page = await node.scan(cursor, { MATCH: pattern, COUNT: 1000 });
            for (const key of page.keys) while ((await connection.run(script, beside(String(key)), [time])) === 1);
            cursor = String(page.cursor);
          } while (cursor !== "0");
        }
      }
    },
    ...documentsOver(documentRowsOn(connection, prefix), (_, answer) => answer()),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A script can store whatever name there is. */
function documentRowsOn(connection: Connection, prefix: string): DocumentRows {
  const run = (script: Script, tenantId: string, collection: string, ...args: string[]): Promise<unknown> =>
    connection.run(script, documentKeysOf(prefix, tenantId, collection), args);
  return {
    document: async (tenantId, collection, id) => {
      const found = (await run(GET_DOCUMENT, tenantId, collection, id)) as readonly [string, string] | null;
      return found === null ? undefined : { id, version: Number(found[0]), content: found[1] };
    },
    putDocument: async (tenantId, collection, { id, content }, replaces, keepUntil) =>
      (await run(PUT_DOCUMENT, tenantId, collection, id, content, String(replaces), String(timeOf(keepUntil)))) === 1,
    documents: async (tenantId, collection, after, limit) => {
      const parts = (await run(LIST_DOCUMENTS, tenantId, collection, after, String(limit))) as readonly string[];
      return parts.flatMap((version, index): DocumentRow[] =>
        index % 3 === 0 ? [{ id: parts[index + 1] as string, version: Number(version), content: parts[index + 2] as string }] : [],
      );
    },
  };
}
