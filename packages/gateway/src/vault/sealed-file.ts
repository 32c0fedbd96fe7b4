import { AmbitError } from "@ambit/core";
import { whole } from "@ambit/core/pdp-client";
import { inTime } from "./in-time.ts";
import type { KeyWrapper } from "./key-wrapper.ts";
import { createLease } from "./lease.ts";
import { entryOf, openRow, rewrapRow, sealRow, type Row } from "./row.ts";
import { checkedName, isSameName, type SecretName } from "./secret-name.ts";
import { createStore } from "./store.ts";
import { unavailable } from "./unavailable.ts";
import type { Vault, VaultAdministration } from "./vault.ts";

export interface SealedFileOptions {
  /** The file; beside it `PATH.lock` and, while it is being replaced, `PATH.tmp`. */
  readonly path: string;
  readonly key: KeyWrapper;
  /**
   * A vault that was changed fewer times than this is refused: an older copy that somebody put back. Where the last version is known from elsewhere, it is worth
   * telling; a running process tells itself. @defaultValue 0
   */
  readonly minimumVersion?: number | undefined;
  /** Milliseconds for one lease; a key that is asked of a person or derived may be there by the next one. @defaultValue 10,000 */
  readonly deadline?: number | undefined;
  /** The clock, in milliseconds since the epoch. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
}

export interface SealedFile extends Vault, VaultAdministration {}

const MOST_BYTES = 65_536;

/**
 * A vault in one file. Each secret is sealed under a data key of its own, bound to tenant, connector, id and version; `key` wraps the data keys; and the whole list is
 * sealed once more. What is cut off, changed, moved, left out or put back, or was sealed with another key, opens nothing (`credential_unavailable`).
 *
 * The file is read for each lease, so that what another process changed counts at once. Processes may change it at the same time; each change is there wholly or not
 * at all, whenever they end.
 */
export function sealedFile({ path, key, now = Date.now, ...options }: SealedFileOptions): SealedFile {
  const deadline = whole(options.deadline ?? 10_000, "deadline", 1, 600_000);
  const store = createStore({ path, key, minimumVersion: whole(options.minimumVersion ?? 0, "minimumVersion", 0, Number.MAX_SAFE_INTEGER) });

  /** Replaces the row of a name with what `edit` makes of it; `undefined` removes it. */
  const change = async (name: SecretName, edit: (row: Row | undefined, version: number) => Promise<Row | undefined>): Promise<Row | undefined> => {
    let edited: Row | undefined;
    await store.change(async ({ version, rows }) => {
      edited = await edit(
        rows.find((row) => isSameName(row, name)),
        version + 1,
      );
      return [...rows.filter((row) => !isSameName(row, name)), ...(edited === undefined ? [] : [edited])];
    });
    return edited;
  };

  return Object.freeze<SealedFile>({
    lease: async (asked, { version, signal } = {}) => {
      const name = checkedName(asked, "credential_unavailable");
      return inTime(deadline, signal, async () => {
        const row = (await store.read()).rows.find((other) => isSameName(other, name));
        if (row === undefined) throw unavailable("the vault has no such secret");
        if (version !== undefined && version !== row.version) throw unavailable("the vault has no such version of the secret");
        const value = await openRow(row, store.key()).catch((cause: unknown) => {
          throw unavailable("the secret does not open: it is damaged, or was sealed as another one", { cause });
        });
        return createLease({ value, version: row.version });
      });
    },
    list: async () => {
      const { version, rows } = await store.read();
      return { version, secrets: rows.map(entryOf) };
    },
    set: async (asked, value) => {
      const name = checkedName(asked, "option_invalid");
      if (value.length === 0 || value.length > MOST_BYTES) throw new AmbitError("option_invalid", `a secret must have 1 to ${MOST_BYTES} bytes`);
      const setAt = now();
      const row = (await change(name, (_, version) => sealRow({ ...name, version, setAt }, value, store.key()))) as Row;
      return entryOf(row);
    },
    rotateDataKey: async (asked) => {
      const row = await change(checkedName(asked, "option_invalid"), async (old) => {
        if (old === undefined) throw unavailable("the vault has no such secret");
        const value = await openRow(old, store.key());
        try {
          return await sealRow(entryOf(old), value, store.key());
        } finally {
          value.fill(0);
        }
      });
      return entryOf(row as Row);
    },
    rotateKey: async (next) => {
      await store.change(async ({ rows }) => {
        const rewrapped: Row[] = [];
        for (const row of rows) rewrapped.push(await rewrapRow(row, store.key(), next));
        return rewrapped;
      }, next);
    },
    remove: async (asked) => {
      const name = checkedName(asked, "option_invalid");
      const { rows } = await store.read();
      if (!rows.some((row) => isSameName(row, name))) return false;
      await change(name, async () => undefined);
      return true;
    },
  });
}
