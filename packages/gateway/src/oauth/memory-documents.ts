import type { DocumentStore, StoredDocument } from "@ambit/core";

/** Documents of this process, gone when it ends. Those whose time is over go when another is written for the first time. */
export function createMemoryDocuments(now: () => number): DocumentStore {
  const collections = new Map<string, Map<string, StoredDocument & { readonly keepUntil: number }>>();
  const collectionOf = (tenantId: string, collection: string) => {
    const name = JSON.stringify([tenantId, collection]);
    const found = collections.get(name) ?? new Map<string, StoredDocument & { readonly keepUntil: number }>();
    collections.set(name, found);
    return found;
  };
  return {
    get: async (tenantId, collection, id) => collectionOf(tenantId, collection).get(id),
    put: async (tenantId, collection, id, content, replaces, keepUntil) => {
      const documents = collectionOf(tenantId, collection);
      if (replaces === 0) for (const [old, document] of documents) if (document.keepUntil <= now()) documents.delete(old);
      if ((documents.get(id)?.version ?? 0) !== replaces) return false;
      documents.set(id, { id, version: replaces + 1, content, keepUntil });
      return true;
    },
    list: async (tenantId, collection, after, limit) =>
      [...collectionOf(tenantId, collection).values()]
        .filter(({ id }) => id > after)
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit),
  };
}
