import type { Tables } from "../migrations.ts";
import { LOAD_AND_SAVE } from "./load-and-save.ts";
import { SWEEP, UNSETTLED_CALLS } from "./sweep.ts";

/**
 * INVARIANT I12: `tenant` is the first column of every key. Names compare as bytes (`COLLATE "C"`), so that locks are taken in one order, whatever the database's
 * own. The functions decide nothing: they load rows under lock, and write them, in one round trip each. Every statement of theirs sees what was committed before
 * it, so what is read after a lock was waited for is what is there now. `schema` is an identifier that was checked.
 */
export function stateTables(schema: string): Tables {
  const migrations = [
    { name: "0001-state", sql: TABLES },
    { name: "0002-functions", sql: LOAD + SAVE + SWEEP },
    { name: "0003-documents", sql: DOCUMENTS },
    { name: "0004-plans", sql: LOAD_AND_SAVE },
    { name: "0005-unsettled", sql: UNSETTLED_CALLS },
  ];
  return { log: "migrations", migrations: migrations.map(({ name, sql }) => ({ name, sql: sql.replaceAll("SCHEMA", schema) })) };
}

const TABLES = `
  CREATE TABLE SCHEMA.calls (
    tenant text COLLATE "C" NOT NULL, envelope text COLLATE "C" NOT NULL, call text COLLATE "C" NOT NULL,
    lineage text COLLATE "C" NOT NULL, phase text COLLATE "C" NOT NULL, body text NOT NULL,
    PRIMARY KEY (tenant, envelope, call)
  ) WITH (fillfactor = 80);
  CREATE INDEX calls_of_lineage ON SCHEMA.calls (tenant, lineage);
  CREATE TABLE SCHEMA.accounts (
    tenant text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, spent bigint NOT NULL CHECK (spent >= 0),
    lineage text COLLATE "C" NOT NULL, keep bigint NOT NULL,
    PRIMARY KEY (tenant, id)
  ) WITH (fillfactor = 50);
  CREATE INDEX accounts_by_end ON SCHEMA.accounts (keep);
  CREATE TABLE SCHEMA.debits (
    id bigint GENERATED ALWAYS AS IDENTITY,
    tenant text COLLATE "C" NOT NULL, account text COLLATE "C" NOT NULL, envelope text COLLATE "C", call text COLLATE "C", unit text COLLATE "C" NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0), refundable boolean NOT NULL, held bigint NOT NULL, until bigint, due bigint NOT NULL,
    PRIMARY KEY (tenant, id)
  );
  CREATE INDEX debits_of_call ON SCHEMA.debits (tenant, envelope, call) WHERE call IS NOT NULL;
  CREATE INDEX debits_by_end ON SCHEMA.debits (tenant, account, due);
  CREATE TABLE SCHEMA.lineages (
    tenant text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, keep bigint NOT NULL, body text NOT NULL,
    PRIMARY KEY (tenant, id)
  ) WITH (fillfactor = 50);
  CREATE INDEX lineages_by_end ON SCHEMA.lineages (keep);
  CREATE TABLE SCHEMA.once (tenant text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, until bigint NOT NULL, PRIMARY KEY (tenant, key));
  CREATE INDEX once_by_end ON SCHEMA.once (until);
  CREATE TABLE SCHEMA.admissions (tenant text COLLATE "C" NOT NULL, envelope text COLLATE "C" NOT NULL, keep bigint NOT NULL, PRIMARY KEY (tenant, envelope));
  CREATE INDEX admissions_by_end ON SCHEMA.admissions (keep);
  CREATE TABLE SCHEMA.revocations (
    tenant text COLLATE "C" NOT NULL, scope text COLLATE "C" NOT NULL, at bigint NOT NULL, keep bigint NOT NULL,
    PRIMARY KEY (tenant, scope)
  );
  CREATE INDEX revocations_by_end ON SCHEMA.revocations (keep);
  CREATE TABLE SCHEMA.beacons (id text COLLATE "C" PRIMARY KEY, n bigint NOT NULL, at timestamptz NOT NULL DEFAULT now());
`;

/** Locks calls, accounts, lineages and things to be used once, always in this order and each sorted, so that no two transactions wait for each other. */
const LOAD = `
  CREATE FUNCTION SCHEMA.load_1(p_tenant text, p_needs json) RETURNS json LANGUAGE plpgsql AS $function$
  DECLARE
    v_now bigint := (p_needs->>'now')::bigint;
    v_asked text[] := ARRAY(SELECT json_array_elements_text(p_needs->'accounts'));
    v_lineages text[] := ARRAY(SELECT json_array_elements_text(p_needs->'lineages'));
    v_once text[] := ARRAY(SELECT json_array_elements_text(p_needs->'once'));
    v_ids text[] := v_asked;
    v_calls SCHEMA.calls[] := '{}';
    v_whole SCHEMA.calls[] := '{}';
    v_debits bigint[] := '{}';
    v_call SCHEMA.calls;
    v_need record;
    v_result json;
  BEGIN
    FOR v_need IN SELECT * FROM json_to_recordset(p_needs->'calls') AS n(envelope text, call text, debits boolean, labels boolean)
      ORDER BY n.envelope COLLATE "C", n.call COLLATE "C"
    LOOP
      SELECT * INTO v_call FROM SCHEMA.calls c WHERE c.tenant = p_tenant AND c.envelope = v_need.envelope AND c.call = v_need.call FOR UPDATE;
      CONTINUE WHEN NOT FOUND;
      v_calls := v_calls || v_call;
      IF v_need.labels THEN v_lineages := v_lineages || v_call.lineage::text; END IF;
      IF v_need.debits THEN
        v_whole := v_whole || v_call;
        v_ids := v_ids || ARRAY(SELECT d.account::text FROM SCHEMA.debits d WHERE d.tenant = p_tenant AND d.envelope = v_need.envelope AND d.call = v_need.call);
      END IF;
    END LOOP;
    -- Only what was locked is loaded: a row that somebody inserts from here on is not ours to update, and our own insertion of it will fail.
    v_ids := ARRAY(SELECT a.id::text FROM SCHEMA.accounts a WHERE a.tenant = p_tenant AND a.id = ANY (v_ids) ORDER BY a.id FOR UPDATE);
    v_asked := ARRAY(SELECT unnest(v_asked) INTERSECT SELECT unnest(v_ids));
    v_lineages := ARRAY(SELECT l.id::text FROM SCHEMA.lineages l WHERE l.tenant = p_tenant AND l.id = ANY (v_lineages) ORDER BY l.id FOR UPDATE);
    v_once := ARRAY(SELECT o.key::text FROM SCHEMA.once o WHERE o.tenant = p_tenant AND o.key = ANY (v_once) ORDER BY o.key FOR UPDATE);

    FOREACH v_call IN ARRAY v_whole LOOP
      v_debits := v_debits || ARRAY(SELECT d.id FROM SCHEMA.debits d WHERE d.tenant = p_tenant AND d.envelope = v_call.envelope AND d.call = v_call.call);
    END LOOP;
    -- What may have lapsed: of calls that nobody else is at, for they may just be redeemed. It is there the next time. One account after another: a plan for all of them
    -- that was made while the table was small reads every debit of the tenant.
    FOR v_need IN SELECT DISTINCT e.envelope, e.call FROM unnest(v_asked) AS asked, LATERAL (SELECT d.envelope, d.call FROM SCHEMA.debits d
      WHERE d.tenant = p_tenant AND d.account = asked AND d.due <= v_now AND d.call IS NOT NULL OFFSET 0) e
    LOOP
      SELECT * INTO v_call FROM SCHEMA.calls c
        WHERE c.tenant = p_tenant AND c.envelope = v_need.envelope AND c.call = v_need.call AND c.phase IN ('reserved', 'lapsed') FOR UPDATE SKIP LOCKED;
      CONTINUE WHEN NOT FOUND;
      IF NOT EXISTS (SELECT 1 FROM unnest(v_calls) o WHERE o.envelope = v_call.envelope AND o.call = v_call.call) THEN v_calls := v_calls || v_call; END IF;
      v_debits := v_debits || ARRAY(SELECT d.id FROM SCHEMA.debits d
        WHERE d.tenant = p_tenant AND d.envelope = v_call.envelope AND d.call = v_call.call AND d.account = ANY (v_asked));
    END LOOP;
    v_debits := v_debits || ARRAY(SELECT e.id FROM unnest(v_asked) AS asked, LATERAL (SELECT d.id FROM SCHEMA.debits d
      WHERE d.tenant = p_tenant AND d.account = asked AND d.due <= v_now AND d.until <= v_now OFFSET 0) e);

    SELECT json_build_object(
      'calls', (SELECT coalesce(json_agg(r), '[]') FROM (SELECT envelope, call, lineage, phase, body FROM unnest(v_calls)) r),
      'accounts', (SELECT coalesce(json_agg(r), '[]') FROM (SELECT id, spent, lineage, keep FROM SCHEMA.accounts WHERE tenant = p_tenant AND id = ANY (v_ids)) r),
      'debits', (SELECT coalesce(json_agg(r), '[]') FROM (
        SELECT id, account, envelope, call, unit, amount, refundable, held, until, due FROM SCHEMA.debits
        WHERE tenant = p_tenant AND id = ANY (v_debits)) r),
      'lineages', (SELECT coalesce(json_agg(r), '[]') FROM (SELECT id, keep, body FROM SCHEMA.lineages WHERE tenant = p_tenant AND id = ANY (v_lineages)) r),
      'once', (SELECT coalesce(json_agg(r), '[]') FROM (SELECT key, until FROM SCHEMA.once WHERE tenant = p_tenant AND key = ANY (v_once)) r)
    ) INTO v_result;
    RETURN v_result;
  END $function$;
`;

/** Rows that were loaded are updated; what is inserted must not be there, or the transaction fails (23505) and is tried again. */
const SAVE = `
  CREATE FUNCTION SCHEMA.save_1(p_tenant text, p_changes json) RETURNS void LANGUAGE plpgsql AS $function$
  DECLARE
    v_row record;
  BEGIN
    IF json_array_length(p_changes->'remove'->'debits') > 0 THEN
      DELETE FROM SCHEMA.debits WHERE tenant = p_tenant AND id = ANY (ARRAY(SELECT json_array_elements_text(p_changes->'remove'->'debits')::bigint));
    END IF;
    FOR v_row IN SELECT * FROM json_to_recordset(p_changes->'remove'->'calls') AS r(envelope text, call text) LOOP
      DELETE FROM SCHEMA.calls WHERE tenant = p_tenant AND envelope = v_row.envelope AND call = v_row.call;
    END LOOP;
    FOR v_row IN SELECT * FROM json_to_recordset(p_changes->'update'->'calls') AS r(envelope text, call text, lineage text, phase text, body text) LOOP
      UPDATE SCHEMA.calls SET lineage = v_row.lineage, phase = v_row.phase, body = v_row.body
        WHERE tenant = p_tenant AND envelope = v_row.envelope AND call = v_row.call;
    END LOOP;
    FOR v_row IN SELECT * FROM json_to_recordset(p_changes->'update'->'accounts') AS r(id text, spent bigint, lineage text, keep bigint) LOOP
      UPDATE SCHEMA.accounts SET spent = v_row.spent, lineage = v_row.lineage, keep = v_row.keep WHERE tenant = p_tenant AND id = v_row.id;
    END LOOP;
    FOR v_row IN SELECT * FROM json_to_recordset(p_changes->'update'->'debits') AS r(id bigint, envelope text, call text, amount bigint, due bigint) LOOP
      UPDATE SCHEMA.debits SET envelope = v_row.envelope, call = v_row.call, amount = v_row.amount, due = v_row.due
        WHERE tenant = p_tenant AND id = v_row.id;
    END LOOP;
    FOR v_row IN SELECT * FROM json_to_recordset(p_changes->'update'->'lineages') AS r(id text, keep bigint, body text) LOOP
      UPDATE SCHEMA.lineages SET keep = v_row.keep, body = v_row.body WHERE tenant = p_tenant AND id = v_row.id;
    END LOOP;
    FOR v_row IN SELECT * FROM json_to_recordset(p_changes->'update'->'once') AS r(key text, until bigint) LOOP
      UPDATE SCHEMA.once SET until = v_row.until WHERE tenant = p_tenant AND key = v_row.key;
    END LOOP;
    INSERT INTO SCHEMA.calls (tenant, envelope, call, lineage, phase, body)
      SELECT p_tenant, r.* FROM json_to_recordset(p_changes->'insert'->'calls') AS r(envelope text, call text, lineage text, phase text, body text);
    IF json_array_length(p_changes->'insert'->'accounts') > 0 THEN
      INSERT INTO SCHEMA.accounts (tenant, id, spent, lineage, keep)
        SELECT p_tenant, r.* FROM json_to_recordset(p_changes->'insert'->'accounts') AS r(id text, spent bigint, lineage text, keep bigint);
    END IF;
    IF json_array_length(p_changes->'insert'->'lineages') > 0 THEN
      INSERT INTO SCHEMA.lineages (tenant, id, keep, body)
        SELECT p_tenant, r.* FROM json_to_recordset(p_changes->'insert'->'lineages') AS r(id text, keep bigint, body text);
    END IF;
    IF json_array_length(p_changes->'insert'->'once') > 0 THEN
      INSERT INTO SCHEMA.once (tenant, key, until)
        SELECT p_tenant, r.* FROM json_to_recordset(p_changes->'insert'->'once') AS r(key text, until bigint);
    END IF;
    INSERT INTO SCHEMA.debits (tenant, account, envelope, call, unit, amount, refundable, held, until, due)
      SELECT p_tenant, r.* FROM json_to_recordset(p_changes->'insert'->'debits')
        AS r(account text, envelope text, call text, unit text, amount bigint, refundable boolean, held bigint, until bigint, due bigint);
  END $function$;
`;

const DOCUMENTS = `
  CREATE TABLE SCHEMA.documents (
    tenant text COLLATE "C" NOT NULL, collection text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL,
    version bigint NOT NULL, keep bigint NOT NULL, content text NOT NULL,
    PRIMARY KEY (tenant, collection, id)
  );
  CREATE INDEX documents_by_end ON SCHEMA.documents (keep);
  CREATE FUNCTION SCHEMA.sweep_2(p_now bigint, p_most integer) RETURNS boolean LANGUAGE plpgsql AS $function$
  DECLARE
    v_more boolean := SCHEMA.sweep_1(p_now, p_most);
    v_count integer;
  BEGIN
    DELETE FROM SCHEMA.documents WHERE ctid = ANY (ARRAY(SELECT ctid FROM SCHEMA.documents WHERE keep < p_now LIMIT p_most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_more OR v_count = p_most;
  END $function$;
`;
