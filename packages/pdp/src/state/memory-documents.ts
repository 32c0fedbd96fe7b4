import type { DocumentStore, StoredDocument } from "@ambit/core";
import { checkLimit, checkPut } from "./documents.ts";

export interface Kept extends StoredDocument {
  readonly keepUntil: number;
}

/** Documents of one process, gone when it ends. `sweep` drops those whose time is over. */
export interface MemoryDocuments extends DocumentStore {
  sweep(now: number): void;
}

/** `collections` is there to be looked at. Who only asks leaves nothing behind in it. */
export function createMemoryDocuments(collections: Map<string, Map<string, Kept>> = new Map()): MemoryDocuments {
  /** No two pairs have the same name, whatever characters they consist of. */
  const nameOf = (tenantId: string, collection: string): string => JSON.stringify([tenantId, collection]);
  return {
    get: async (tenantId, collection, id) => collections.get(nameOf(tenantId, collection))?.get(id),
    put: async (tenantId, collection, id, content, replaces, keepUntil) => {
      checkPut(replaces, keepUntil);
      const name = nameOf(tenantId, collection);
      const documents = collections.get(name) ?? new Map<string, Kept>();
      if ((documents.get(id)?.version ?? 0) !== replaces) return false;
      documents.set(id, { id, version: replaces + 1, content, keepUntil });
      collections.set(name, documents);
      return true;
    },
    list: async (tenantId, collection, after, limit) => {
      checkLimit(limit);
      return [...(collections.get(nameOf(tenantId, collection))?.values() ?? [])]
        .filter(({ id }) => id > after)
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit);
    },
    sweep: (now) => {
      for (const [name, documents] of collections) {
        for (const [id, { keepUntil }] of documents) if (keepUntil < now) documents.delete(id);
        if (documents.size === 0) collections.delete(name);
      }
    },
  };
}
