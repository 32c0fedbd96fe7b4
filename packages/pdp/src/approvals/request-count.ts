import { AmbitError, randomText, type DocumentStore } from "@ambit/core";

const COLLECTION = "approval_requests";

/** Requests that a lineage may make in the time that one waits: people are not to be worn out. */
const MOST = 100;

/**
 * Counts a request of a lineage; `false` where it would be one too many. Each is a document of its own, so that all who share the store count together, and nobody waits for anybody: of those who
 * come to the last place at the same time none may get it, never two.
 */
export async function countRequest(documents: DocumentStore, tenantId: string, lineage: string, now: number, lifetime: number): Promise<boolean> {
  const isWithin = async (most: number): Promise<boolean> => {
    const found = await documents.list(tenantId, COLLECTION, markOf(lineage, now - lifetime, "~"), most + 1);
    const own = found.filter(({ id }) => id.slice(0, lineage.length + 1) === `${lineage} `);
    return own.length <= most;
  };
  // Whoever goes on asking when there are too many leaves nothing behind.
  if (!(await isWithin(MOST - 1))) return false;
  if (!(await documents.put(tenantId, COLLECTION, markOf(lineage, now, randomText(12)), {}, 0, now + lifetime)))
    throw new AmbitError("state_unavailable", "the request for approval could not be counted");
  return isWithin(MOST);
}

/** Ids of one lineage stand together, in the order of time. */
function markOf(lineage: string, time: number, last: string): string {
  return `${lineage} ${String(Math.max(0, time)).padStart(16, "0")} ${last}`;
}
