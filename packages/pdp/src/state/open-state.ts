import { AmbitError, type DocumentStore, type StateStore } from "@ambit/core";
import type { StateConfig } from "../config/state.ts";
import { createMemoryRelations } from "../relations/memory-relations.ts";
import type { RelationStore, SharedRelations } from "../relations/relation-store.ts";
import { createMemoryDocuments } from "./memory-documents.ts";
import { createMemoryState } from "./memory-state.ts";
import type * as postgres from "./postgres/index.ts";
import type * as sqlite from "./sqlite/index.ts";

/** State that a configuration names, and documents and tuples beside it. */
export interface OpenState {
  readonly state: StateStore;
  readonly documents: DocumentStore;
  /** In SQLite and PostgreSQL beside the state; else in this process. */
  readonly relations: RelationStore;
  readonly sweep: (now: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Opens it, and brings it up to date where it has a schema. Only the store that is chosen is loaded, with the package that it needs: where that is not installed, the
 * refusal (`config_invalid`) says what to install. Rejects also with whatever the store does.
 */
export async function openState(config: StateConfig): Promise<OpenState> {
  if (config.kind === "memory") return openMemory();
  const store = await openStore(config);
  try {
    const relations = await openRelations(config);
    return {
      state: store,
      documents: store,
      relations: relations ?? createMemoryRelations(),
      sweep: (now) => store.sweep(now),
      close: async () => void (await Promise.all([store.close(), relations?.close()])),
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

export function openMemory(): OpenState {
  const [state, documents] = [createMemoryState(), createMemoryDocuments()];
  return {
    state,
    documents,
    relations: createMemoryRelations(),
    sweep: async (now) => {
      documents.sweep(now);
      await state.sweep(now);
    },
    close: async () => undefined,
  };
}

export function loadSqlite(): Promise<typeof sqlite> {
  return import("./sqlite/index.ts");
}

export function loadPostgres(): Promise<typeof postgres> {
  return withPeer("pg", () => import("./postgres/index.ts"));
}

type Store = StateStore & DocumentStore & { close(): Promise<void> };

async function openStore(config: Exclude<StateConfig, { readonly kind: "memory" }>): Promise<Store> {
  if (config.kind === "sqlite") return (await loadSqlite()).createSqliteState({ path: config.path });
  if (config.kind === "postgres") return (await loadPostgres()).createPostgresState(postgresOptionsOf(config));
  const { createRedisState } = await withPeer("redis", () => import("./redis/index.ts"));
  return createRedisState({ url: config.url, ...(config.prefix === undefined ? {} : { prefix: config.prefix }) });
}

async function openRelations(config: StateConfig): Promise<SharedRelations | undefined> {
  if (config.kind === "sqlite") return (await loadSqlite()).createSqliteRelations({ path: config.path });
  return config.kind === "postgres" ? (await loadPostgres()).createPostgresRelations(postgresOptionsOf(config)) : undefined;
}

export function postgresOptionsOf({ url, schema }: Extract<StateConfig, { readonly kind: "postgres" }>): {
  readonly connectionString: string;
  readonly schema?: string;
} {
  return { connectionString: url, ...(schema === undefined ? {} : { schema }) };
}

async function withPeer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const isMissing = (cause as { readonly code?: unknown } | null)?.code === "ERR_MODULE_NOT_FOUND";
    throw isMissing ? new AmbitError("config_invalid", `this \`state\` needs the package \`${name}\``, { cause, hint: `npm install ${name}` }) : cause;
  }
}
