import { AmbitError } from "@ambit/core";
import pg from "pg";
import { unavailable } from "../../vault/unavailable.ts";
import type { Vault } from "../../vault/vault.ts";
import type { Action, Connector, Credential } from "../connector.ts";
import { createCredential, noCredential } from "../credential.ts";
import { inTimeFor, orUnavailable } from "../fail-closed.ts";
import { withSecret } from "../vault-secret.ts";
import type { TableAccess } from "./access.ts";
import { excessOf } from "./excess.ts";
import { createRoles } from "./role.ts";

export interface PostgresConnectorOptions {
  readonly vault: Vault;
  /** The name of the connector: in the vault, and in the record of each action. */
  readonly name: string;
  /** Which secret of the connector the connection string of a role is that may create roles and schemas, and give away the tables. @defaultValue "admin" */
  readonly id?: string | undefined;
  /** What each tool needs, by its name at its server, or by the method. There is no login for what is not in here. */
  readonly tables: Readonly<Record<string, readonly TableAccess[]>>;
  /** What the names of the roles begin with: lower-case letters, digits and underscores, at most 20. @defaultValue "ambit" */
  readonly prefix?: string | undefined;
  /** Milliseconds after the time in which its action could begin for which a role counts as one in use. @defaultValue 900,000 */
  readonly grace?: number | undefined;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}

export interface PostgresConnector extends Connector {
  /** Drops the roles that actions of a tenant left behind, when a process was killed or the server was away; answers how many. Done before the first action of each tenant, too. */
  sweep(tenantId: string): Promise<number>;
}

const DEADLINE = 10_000;

/**
 * A login to PostgreSQL (14 or later) for each action: a role that sees views of the tables of its tool, with the rows of the action, can log in until the action must not begin any
 * more, and is dropped after. INVARIANT I12: the tenant of the action picks the database. It goes along as `login`, which an upstream of its own uses; with what no action is about goes nothing.
 *
 * Throws `option_invalid`.
 */
export function postgresConnector(options: PostgresConnectorOptions): PostgresConnector {
  const { vault, name, id = "admin", tables, prefix = "ambit", grace = 900_000, now = Date.now } = options;
  if (!/^(?!pg_)[a-z][a-z0-9_]{0,19}$/.test(prefix))
    throw new AmbitError("option_invalid", "`prefix` is lower-case letters, digits and underscores, at most 20");
  if (!Number.isSafeInteger(grace) || grace < 0) throw new AmbitError("option_invalid", "`grace` is a whole number of milliseconds");
  for (const [tool, accesses] of Object.entries(tables))
    if (new Set(accesses.map(({ table }) => table)).size !== accesses.length)
      throw new AmbitError("option_invalid", `two tables of \`${tool}\` have one name, and so would their views`);
  const roles = createRoles(prefix);
  const swept = new Map<string, Promise<number>>();

  const asAdmin = <T>(tenant: string, signal: AbortSignal, use: (client: pg.Client) => Promise<T>): Promise<T> =>
    withSecret(vault, { tenant, connector: name, id }, signal, async (connectionString) => {
      // oxlint-disable-next-line import/no-named-as-default-member
      const client = new pg.Client({ connectionString, connectionTimeoutMillis: DEADLINE, query_timeout: DEADLINE, statement_timeout: DEADLINE });
      client.on("error", () => undefined);
      try {
        await client.connect();
        return await use(client);
      } finally {
        void client.end().catch(() => undefined);
      }
    });

  const drop = (tenant: string, role: string): Promise<void> => asAdmin(tenant, AbortSignal.timeout(DEADLINE), (client) => roles.drop(client, role));
  const sweep = (tenant: string): Promise<number> =>
    orUnavailable("the roles cannot be swept", () =>
      asAdmin(tenant, AbortSignal.timeout(DEADLINE), async (client) => {
        let dropped = 0;
        for (const role of await roles.ended(client, now() - grace))
          // One that another process drops, or that cannot be dropped, keeps none of the others.
          dropped += await roles.drop(client, role).then(
            () => 1,
            () => 0,
          );
        return dropped;
      }),
    );
  const sweepFirst = async (tenant: string): Promise<void> => {
    if (!swept.has(tenant)) swept.set(tenant, sweep(tenant));
    await swept.get(tenant)?.catch(() => swept.delete(tenant));
  };

  const forAction = async (action: Action, signal: AbortSignal): Promise<Credential> => {
    const { tenantId, tool } = action;
    const accesses = Object.hasOwn(tables, tool) ? tables[tool] : undefined;
    if (accesses === undefined || accesses.length === 0) throw unavailable("no tables are configured for the tool");
    if (!Number.isFinite(action.until)) throw unavailable("the action has no end");
    await sweepFirst(tenantId);
    return asAdmin(tenantId, signal, async (client) => {
      const login = await roles.create(client, action, accesses);
      try {
        const overPrivileged = await excessOf(client, login.user);
        if (signal.aborted || now() >= action.until) throw unavailable("the action must not begin any more");
        // What could not be dropped is swept before the next action.
        const release = (): Promise<unknown> => drop(tenantId, login.user).catch(() => swept.delete(tenantId));
        return createCredential({ login, secrets: [Buffer.from(login.password)], overPrivileged, release });
      } catch (error) {
        await roles.drop(client, login.user).catch(() => swept.delete(tenantId));
        throw error;
      }
    });
  };

  return {
    name,
    sweep,
    obtain: (action, signal) =>
      orUnavailable("there is no login for the action", async () =>
        action === undefined ? noCredential() : forAction(action, inTimeFor(action, now, DEADLINE, signal)),
      ),
  };
}
