import { randomBytes } from "node:crypto";
import type { Client } from "pg";
import { grant, type TableAccess } from "./access.ts";
import type { Action } from "../connector.ts";
import { scramVerifier } from "./scram.ts";
import { execute, statement } from "./statements.ts";

/** Roles that were made for one action each: `<prefix>_<second after which it must not begin>_<random>`. */
export interface Roles {
  create(client: Client, action: Action, tables: readonly TableAccess[]): Promise<{ readonly user: string; readonly password: string }>;
  /** Ends its sessions and takes away all that it has; rejects when it is still there. */
  drop(client: Client, role: string): Promise<void>;
  /** Those of an earlier time than `before`, in milliseconds since the epoch. */
  ended(client: Client, before: number): Promise<readonly string[]>;
}

/** `prefix`: lower-case letters, digits and underscores. */
export function createRoles(prefix: string): Roles {
  const name = new RegExp(`^${prefix}_([0-9]{1,11})_[0-9a-f]{24}$`);
  return {
    create: async (client, action, tables) => {
      const user = `${prefix}_${Math.floor(action.until / 1000)}_${randomBytes(12).toString("hex")}`;
      const password = randomBytes(24).toString("base64url");
      await execute(client, [
        statement(
          "CREATE ROLE %I LOGIN NOINHERIT CONNECTION LIMIT 4 PASSWORD %L VALID UNTIL %L",
          user,
          scramVerifier(password),
          new Date(action.until).toISOString(),
        ),
        // Who is no superuser can drop what it made, and end its sessions, only as a member.
        statement("GRANT %I TO CURRENT_USER", user),
        statement("CREATE SCHEMA %I", user),
        ...tables.flatMap((access) => grant(user, access, action)),
        statement("GRANT USAGE ON SCHEMA %I TO %I", user, user),
        statement("ALTER ROLE %I SET search_path = %I", user, user),
      ]);
      return { user, password };
    },
    drop: async (client, role) => {
      await execute(client, [statement("ALTER ROLE %I NOLOGIN", role)]);
      await client.query("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = $1", [role]);
      await execute(client, [
        statement("DROP SCHEMA IF EXISTS %I CASCADE", role),
        statement("DROP OWNED BY %I CASCADE", role),
        statement("DROP ROLE %I", role),
      ]);
    },
    ended: async (client, before) => {
      const { rows } = await client.query<{ readonly rolname: string }>("SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)", [`${prefix}_`]);
      return rows.flatMap(({ rolname }) => (Number(name.exec(rolname)?.[1] ?? Infinity) * 1000 < before ? [rolname] : []));
    },
  };
}
