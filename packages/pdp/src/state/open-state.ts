import { AmbitError, type DocumentStore, type StateStore } from "@ambit/core";
import type { StateConfig } from "../config/state.ts";
import { createMemoryRelations } from "../relations/memory-relations.ts";
import type { RelationStore, SharedRelations } from "../relations/relation-store.ts";
import { createMemoryDocuments } from "./memory-documents.ts";
import { createMemoryState } from "./memory-state.ts";
import type * as postgres from "./postgres/index.ts";
import type * as redis from "./redis/index.ts";
import type * as sqlite from "./sqlite/index.ts";

/** State that a configuration names, and documents and tuples beside it. */
export interface OpenState {
  readonly state: StateStore;
  readonly documents: DocumentStore;
  /** Beside the state. */
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
      relations,
      sweep: (now) => store.sweep(now),
      close: async () => void (await Promise.all([store.close(), relations.close()])),
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

type PostgresConfig = Extract<StateConfig, { readonly kind: "postgres" }>;
type Store = StateStore & DocumentStore & { close(): Promise<void> };

type SharedConfig = Exclude<StateConfig, { readonly kind: "memory" }>;

async function openStore(config: SharedConfig): Promise<Store> {
  if (config.kind === "sqlite") return (await loadSqlite()).createSqliteState({ path: config.path });
  if (config.kind === "postgres") return (await loadPostgres()).createPostgresState({ ...postgresOptionsOf(config), ...replicaOptionsOf(config) });
  return (await loadRedis()).createRedisState(redisOptionsOf(config));
}

async function openRelations(config: SharedConfig): Promise<SharedRelations> {
  if (config.kind === "sqlite") return (await loadSqlite()).createSqliteRelations({ path: config.path });
  if (config.kind === "postgres") return (await loadPostgres()).createPostgresRelations(postgresOptionsOf(config));
  return (await loadRedis()).createRedisRelations(redisOptionsOf(config));
}

function loadRedis(): Promise<typeof redis> {
  return withPeer("redis", () => import("./redis/index.ts"));
}

function redisOptionsOf({ url, prefix }: Extract<StateConfig, { readonly kind: "redis" }>): { readonly url: string; readonly prefix?: string } {
  return { url, ...(prefix === undefined ? {} : { prefix }) };
}

/** The primary, which all but the question what was revoked is for. */
export function postgresOptionsOf({ url, schema }: PostgresConfig): Pick<postgres.PostgresOptions, "schema"> & { readonly connectionString: string } {
  return { connectionString: url, ...(schema === undefined ? {} : { schema }) };
}

function replicaOptionsOf({ replica }: PostgresConfig): Pick<postgres.PostgresOptions, "replica" | "maxLag"> {
  if (replica === undefined) return {};
  return { replica: { connectionString: replica.url }, ...(replica.maxLag === undefined ? {} : { maxLag: replica.maxLag }) };
}

async function withPeer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const isMissing = (cause as { readonly code?: unknown } | null)?.code === "ERR_MODULE_NOT_FOUND";
    throw isMissing ? new AmbitError("config_invalid", `this \`state\` needs the package \`${name}\``, { cause, hint: `npm install ${name}` }) : cause;
  }
}
