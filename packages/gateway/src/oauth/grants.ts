import { createHash, randomBytes } from "node:crypto";
import { chainOf, type DocumentStore, type JsonObject, type Pep, type Task } from "@ambit/core";
import type { User } from "./options.ts";

/** What one user allowed one client, once: one task, and its one envelope. */
export interface Grant extends JsonObject {
  readonly id: string;
  readonly tenantId: string;
  readonly delegatorId: string;
  readonly clientId: string;
  readonly clientName: string;
  readonly purpose: string;
  readonly tools: readonly string[];
  /** Milliseconds since the epoch, as `until`, where the envelope ends. */
  readonly since: number;
  readonly until: number;
  readonly isEnded: boolean;
  /** The signed envelope, for the other replicas. Worth nothing without the key of the agent; absent where there is none. */
  readonly chain?: readonly string[];
}

export interface Grants {
  /** Keeps what was allowed, with the task that was begun for it. */
  open(task: Task, client: { readonly clientId: string; readonly clientName: string }): Promise<Grant>;
  /** `undefined`: there is none, it was ended, or its time is over. */
  find(tenantId: string, id: string): Promise<Grant | undefined>;
  /** The task of a grant; `undefined` where it was begun by another process, and cannot be gone on with here. */
  taskOf(grant: Grant): Promise<Task | undefined>;
  /** Those of a user that are good for something, of at most 100. */
  of(user: User): Promise<readonly Grant[]>;
  /** Ends the grant, and then its task. Nothing is let in by it from then on, also where the decision point cannot be reached. May be called again. */
  end(tenantId: string, id: string): Promise<void>;
}

const COLLECTION = "oauth_grants";
const MOST_SHOWN = 100;

/** `now` in milliseconds since the epoch. */
export function createGrants(documents: DocumentStore, pep: Pep, now: () => number): Grants {
  const tasks = new Map<string, { readonly task: Promise<Task>; readonly until: number }>();
  const isGood = ({ isEnded, until }: Grant): boolean => !isEnded && until > now();
  const remember = (id: string, task: Promise<Task>, until: number): void => {
    for (const [old, { until: end }] of tasks) if (end <= now()) tasks.delete(old);
    tasks.set(id, { task, until });
  };
  const received = async ({ id, chain, until }: Grant): Promise<Task | undefined> => {
    if (chain === undefined) return undefined;
    const task = pep.receive(chain);
    remember(id, task, until);
    // What failed is tried again.
    task.catch(() => tasks.delete(id));
    return task;
  };
  const taskOf = async (grant: Grant): Promise<Task | undefined> => tasks.get(grant.id)?.task ?? received(grant);

  return {
    open: async (task, { clientId, clientName }) => {
      const { tenantId, delegatorId, purpose, allowedTools, expiresAt } = task.envelope;
      const chain = chainOf(task);
      const grant: Grant = {
        id: `${prefixOf(delegatorId)}${randomBytes(16).toString("base64url")}`,
        tenantId,
        delegatorId,
        clientId,
        clientName,
        purpose,
        tools: [...allowedTools],
        since: now(),
        until: expiresAt,
        isEnded: false,
        ...(chain === undefined ? {} : { chain: [...chain] }),
      };
      if (!(await documents.put(tenantId, COLLECTION, grant.id, grant, 0, grant.until))) throw new Error("a random id came twice");
      remember(grant.id, Promise.resolve(task), grant.until);
      return grant;
    },
    find: async (tenantId, id) => {
      const grant = (await documents.get(tenantId, COLLECTION, id))?.content as Grant | undefined;
      return grant !== undefined && isGood(grant) ? grant : undefined;
    },
    taskOf,
    of: async ({ tenantId, delegatorId }) => {
      const stored = await documents.list(tenantId, COLLECTION, prefixOf(delegatorId), MOST_SHOWN);
      return stored.map(({ content }) => content as Grant).filter((grant) => grant.delegatorId === delegatorId && isGood(grant));
    },
    end: async (tenantId, id) => {
      for (;;) {
        const stored = await documents.get(tenantId, COLLECTION, id);
        if (stored === undefined) return;
        const grant = stored.content as Grant;
        if (!grant.isEnded && !(await documents.put(tenantId, COLLECTION, id, { ...grant, isEnded: true }, stored.version, grant.until))) continue;
        if (grant.until > now()) await (await taskOf(grant))?.end();
        tasks.delete(id);
        return;
      }
    },
  };
}

/** Grants of one user stand together. A digest, as ids of users may be longer than those of documents. */
function prefixOf(delegatorId: string): string {
  return `${createHash("sha256").update(delegatorId).digest("hex").slice(0, 32)}.`;
}
