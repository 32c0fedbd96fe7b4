import { randomText, saltedDigestOf, type CallKey, type DocumentStore } from "@ambit/core";
import { createRecent } from "./recent.ts";

/** What shows who redeemed a grant: whoever only knows the grant cannot say how the call ended. */
export interface Receipts {
  /** The receipt of a redeemed grant; the same for every decision point over one store. Rejects when it cannot be told. */
  of(call: CallKey, grantId: string): Promise<string>;
}

const COLLECTION = "receipts";
const KEY = "key";

/** Receipts are not stored: they are a keyed digest, and the key of a tenant is a document that its decision points share. */
export function createReceipts(documents: DocumentStore): Receipts {
  const keys = createRecent<string>(1000);
  const keyOf = async (tenantId: string): Promise<string> => {
    const known = keys.get(tenantId);
    if (known !== undefined) return known;
    await documents.put(tenantId, COLLECTION, KEY, { key: randomText(32) }, 0, Number.MAX_SAFE_INTEGER);
    const stored = (await documents.get(tenantId, COLLECTION, KEY))?.content["key"];
    if (typeof stored !== "string" || stored.length !== 43) throw new Error("the key of receipts cannot be read");
    keys.set(tenantId, stored);
    return stored;
  };
  return { of: async ({ tenantId, envelopeId, callId }, grantId) => saltedDigestOf([tenantId, envelopeId, callId, grantId], await keyOf(tenantId)) };
}
