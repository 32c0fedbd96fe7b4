import type { DocumentStore, StoredDocument } from "@ambit/core";
import { checkLimit, checkPut } from "./documents.ts";

interface Kept extends StoredDocument {
  readonly keepUntil: number;
}

/** Documents of one process, gone when it ends. `sweep` drops those whose time is over. */
export interface MemoryDocuments extends DocumentStore {
  sweep(now: number): void;
}

export function createMemoryDocuments(): MemoryDocuments {
  const collections = new Map<string, Map<string, Kept>>();
  /** No two pairs have the same name, whatever characters they consist of. */
  const collectionOf = (tenantId: string, collection: string): Map<string, Kept> => {
    const name = JSON.stringify([tenantId, collection]);
    let documents = collections.get(name);
    if (documents === undefined) collections.set(name, (documents = new Map()));
    return documents;
  };
  return {
    get: async (tenantId, collection, id) => collectionOf(tenantId, collection).get(id),
    put: async (tenantId, collection, id, content, replaces, keepUntil) => {
      checkPut(replaces, keepUntil);
      const documents = collectionOf(tenantId, collection);
      if ((documents.get(id)?.version ?? 0) !== replaces) return false;
      documents.set(id, { id, version: replaces + 1, content, keepUntil });
      return true;
    },
    list: async (tenantId, collection, after, limit) => {
      checkLimit(limit);
      return [...collectionOf(tenantId, collection).values()]
        .filter(({ id }) => id > after)
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit);
    },
    sweep: (now) => {
      for (const documents of collections.values()) for (const [id, { keepUntil }] of documents) if (keepUntil < now) documents.delete(id);
    },
  };
}
