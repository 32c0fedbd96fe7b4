import type { DocumentStore, JsonObject, StoredDocument } from "@ambit/core";

/** A document as a database holds it. */
export interface DocumentRow {
  /** By `orderKey`. */
  readonly id: string;
  readonly version: number;
  /** JSON text, which escapes whatever a database could not store. */
  readonly content: string;
}

/** What a database has to do for `documentsOver`. Ids are those of `orderKey`, which it compares byte by byte. */
export interface DocumentRows {
  document(tenantId: string, collection: string, id: string): Promise<DocumentRow | undefined>;
  /** INVARIANT I5: one transaction. */
  putDocument(tenantId: string, collection: string, row: Omit<DocumentRow, "version">, replaces: number, keepUntil: number): Promise<boolean>;
  documents(tenantId: string, collection: string, after: string, limit: number): Promise<readonly DocumentRow[]>;
}

/** Asks the database, once it can store the names. */
type Ask = <T>(names: readonly string[], answer: () => Promise<T>) => Promise<T>;

/** The port over a database. */
export function documentsOver(rows: DocumentRows, ask: Ask): DocumentStore {
  return {
    get: async (tenantId, collection, id) => {
      const row = await ask([tenantId, collection], () => rows.document(tenantId, collection, orderKey(id)));
      return row === undefined ? undefined : toDocument(row);
    },
    put: async (tenantId, collection, id, content, replaces, keepUntil) => {
      checkPut(replaces, keepUntil);
      const row = { id: orderKey(id), content: JSON.stringify(content) };
      return ask([tenantId, collection], () => rows.putDocument(tenantId, collection, row, replaces, keepUntil));
    },
    list: async (tenantId, collection, after, limit) => {
      checkLimit(limit);
      return (await ask([tenantId, collection], () => rows.documents(tenantId, collection, orderKey(after), limit))).map(toDocument);
    },
  };
}

/** Throws (`RangeError`) where a version or a time is none. */
export function checkPut(replaces: number, keepUntil: number): void {
  if (!Number.isSafeInteger(replaces) || replaces < 0) throw new RangeError("the version that is replaced must be a whole number of at least 0");
  if (!Number.isSafeInteger(keepUntil)) throw new RangeError("a time must be whole milliseconds since the epoch");
}

/** Throws (`RangeError`) where a length is none: to a database a negative one may mean all there is. */
export function checkLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 0) throw new RangeError("the length of a list must be a whole number of at least 0");
}

/**
 * An id as ASCII whose bytes sort as its UTF-16 code units do: those of UTF-8 sort as code points, a database's own collation as a dictionary. What is printable stands
 * there as it is, so that usual ids are legible. No two ids have the same text, and any id has one: also of lone surrogates and NUL, which databases refuse (I14).
 */
function orderKey(id: string): string {
  return id.replaceAll(/[^ -~]/g, (unit) => (unit < " " ? BELOW : ABOVE) + unit.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** What stands for a code unit before, and after, all that are printable. */
const [BELOW, ABOVE] = ["\u0001", "\u007f"];

function idOf(key: string): string {
  return key.replaceAll(/[\u0001\u007f]([0-9a-f]{4})/g, (_, unit: string) => String.fromCharCode(Number.parseInt(unit, 16)));
}

function toDocument({ id, version, content }: DocumentRow): StoredDocument {
  if (!Number.isSafeInteger(version)) throw new RangeError("the store holds a version that is not a whole number");
  return { id: idOf(id), version, content: JSON.parse(content) as JsonObject };
}
