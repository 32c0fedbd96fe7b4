import { loadStateConfig, type PdpConfig } from "../config/load-config.ts";
import type { Environment, StateConfig } from "../config/state.ts";
import { loadPostgres, loadSqlite, postgresOptionsOf } from "./open-state.ts";

export interface MigrateOptions {
  /** Only tells what is missing, and changes nothing. @defaultValue false */
  readonly check?: boolean;
  /** Where `url_env` is looked up. @defaultValue `process.env` */
  readonly env?: Environment;
}

export interface MigratedState {
  readonly kind: StateConfig["kind"];
  /** Names of the steps that were taken; with `check`, that are missing. Memory and Redis have no schema, hence none. */
  readonly steps: readonly string[];
}

/**
 * Brings the state that a configuration names up to date, with documents and tuples of relations beside it, without opening anything else of it. Safe when several processes do so at once, and while others use it. Refuses
 * (`config_invalid`) state of a newer version, and (`state_unavailable`) what cannot be reached.
 */
export async function migrateState(config: string | URL | PdpConfig, { check = false, env = process.env }: MigrateOptions = {}): Promise<MigratedState> {
  const state = await loadStateConfig(config, env);
  return { kind: state.kind, steps: await stepsOf(state, check) };
}

async function stepsOf(state: StateConfig, isCheck: boolean): Promise<readonly string[]> {
  if (state.kind === "sqlite") {
    const { migrate, missingMigrations } = await loadSqlite();
    return (isCheck ? missingMigrations : migrate)({ path: state.path });
  }
  if (state.kind !== "postgres") return [];
  const { migrate, missingMigrations } = await loadPostgres();
  return (isCheck ? missingMigrations : migrate)(postgresOptionsOf(state));
}
