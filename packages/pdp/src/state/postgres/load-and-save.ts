/**
 * How rows are loaded and written since `0004-plans`. Each row is looked up by its whole key, one after another: PostgreSQL keeps the plan of a function's statement for as
 * long as the connection lives, and the one for `id = ANY (…)` that it made while a table was small reads every row of the tenant. Plans are generic, as making one
 * takes longer than carrying it out, and use an index whatever the statistics say.
 */
const SETTINGS = "SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off";

/** Locks calls, accounts, lineages and things to be used once, always in this order and each sorted, so that no two transactions wait for each other. */
const LOAD = `
  CREATE FUNCTION SCHEMA.load_2(p_tenant text, p_needs json) RETURNS json LANGUAGE plpgsql ${SETTINGS} AS $function$
  DECLARE
    v_now bigint := (p_needs->>'now')::bigint;
    v_ids text[] := ARRAY(SELECT json_array_elements_text(p_needs->'accounts'));
    v_asked text[] := v_ids;
    v_lineage_ids text[] := ARRAY(SELECT json_array_elements_text(p_needs->'lineages'));
    v_calls SCHEMA.calls[] := '{}';
    v_whole SCHEMA.calls[] := '{}';
    v_due bigint[] := '{}';
    v_debit_ids bigint[] := '{}';
    v_call SCHEMA.calls;
    v_need record;
    v_accounts json;
    v_debits json;
    v_lineages json;
    v_once json;
  BEGIN
    FOR v_need IN SELECT * FROM json_to_recordset(p_needs->'calls') AS n(envelope text, call text, debits boolean, labels boolean)
      ORDER BY n.envelope COLLATE "C", n.call COLLATE "C"
    LOOP
      SELECT * INTO v_call FROM SCHEMA.calls c WHERE c.tenant = p_tenant AND c.envelope = v_need.envelope AND c.call = v_need.call FOR UPDATE;
      CONTINUE WHEN NOT FOUND;
      v_calls := v_calls || v_call;
      IF v_need.labels THEN v_lineage_ids := v_lineage_ids || v_call.lineage::text; END IF;
      IF v_need.debits THEN
        v_whole := v_whole || v_call;
        v_ids := v_ids || ARRAY(SELECT d.account::text FROM SCHEMA.debits d WHERE d.tenant = p_tenant AND d.envelope = v_need.envelope AND d.call = v_need.call);
      END IF;
    END LOOP;
    -- Only what was locked is loaded: a row that somebody inserts from here on is not ours to update, and our own insertion of it will fail.
    SELECT json_agg(r), coalesce(array_agg(r.id::text), '{}') INTO v_accounts, v_ids FROM (SELECT DISTINCT i COLLATE "C" AS i FROM unnest(v_ids) AS i ORDER BY 1) AS k,
      LATERAL (SELECT a.id, a.spent, a.lineage, a.keep FROM SCHEMA.accounts a WHERE a.tenant = p_tenant AND a.id = k.i FOR UPDATE) AS r;
    SELECT json_agg(r) INTO v_lineages FROM (SELECT DISTINCT i COLLATE "C" AS i FROM unnest(v_lineage_ids) AS i ORDER BY 1) AS k,
      LATERAL (SELECT l.id, l.keep, l.body FROM SCHEMA.lineages l WHERE l.tenant = p_tenant AND l.id = k.i FOR UPDATE) AS r;
    IF json_array_length(p_needs->'once') > 0 THEN
      SELECT json_agg(r) INTO v_once FROM (SELECT DISTINCT i COLLATE "C" AS i FROM json_array_elements_text(p_needs->'once') AS i ORDER BY 1) AS k,
        LATERAL (SELECT o.key, o.until FROM SCHEMA.once o WHERE o.tenant = p_tenant AND o.key = k.i FOR UPDATE) AS r;
    END IF;

    FOREACH v_call IN ARRAY v_whole LOOP
      v_debit_ids := v_debit_ids || ARRAY(SELECT d.id FROM SCHEMA.debits d WHERE d.tenant = p_tenant AND d.envelope = v_call.envelope AND d.call = v_call.call);
    END LOOP;
    v_asked := ARRAY(SELECT i FROM unnest(v_asked) AS i WHERE i = ANY (v_ids));
    v_due := ARRAY(SELECT d.id FROM unnest(v_asked) AS i, LATERAL (SELECT d.id FROM SCHEMA.debits d
      WHERE d.tenant = p_tenant AND d.account = i AND d.due <= v_now OFFSET 0) AS d);
    IF v_due <> '{}' THEN
      -- What may have lapsed: of calls that nobody else is at, for they may just be redeemed. It is there the next time.
      FOR v_need IN SELECT DISTINCT d.envelope, d.call FROM unnest(v_due) AS i, LATERAL (SELECT d.envelope, d.call FROM SCHEMA.debits d
        WHERE d.tenant = p_tenant AND d.id = i AND d.call IS NOT NULL OFFSET 0) AS d
      LOOP
        SELECT * INTO v_call FROM SCHEMA.calls c
          WHERE c.tenant = p_tenant AND c.envelope = v_need.envelope AND c.call = v_need.call AND c.phase IN ('reserved', 'lapsed') FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        IF NOT EXISTS (SELECT 1 FROM unnest(v_calls) o WHERE o.envelope = v_call.envelope AND o.call = v_call.call) THEN v_calls := v_calls || v_call; END IF;
        v_debit_ids := v_debit_ids || ARRAY(SELECT d.id FROM SCHEMA.debits d
          WHERE d.tenant = p_tenant AND d.envelope = v_call.envelope AND d.call = v_call.call AND d.account = ANY (v_asked));
      END LOOP;
      v_debit_ids := v_debit_ids || ARRAY(SELECT d.id FROM unnest(v_due) AS i, LATERAL (SELECT d.id FROM SCHEMA.debits d
        WHERE d.tenant = p_tenant AND d.id = i AND d.until <= v_now OFFSET 0) AS d);
    END IF;
    IF v_debit_ids <> '{}' THEN
      SELECT json_agg(r) INTO v_debits FROM (SELECT DISTINCT unnest(v_debit_ids) AS i) AS k,
        LATERAL (SELECT d.id, d.account, d.envelope, d.call, d.unit, d.amount, d.refundable, d.held, d.until, d.due FROM SCHEMA.debits d
          WHERE d.tenant = p_tenant AND d.id = k.i OFFSET 0) AS r;
    END IF;

    RETURN json_build_object(
      'calls', CASE WHEN v_calls = '{}' THEN '[]' ELSE (SELECT json_agg(r) FROM (SELECT envelope, call, lineage, phase, body FROM unnest(v_calls)) r) END,
      'accounts', coalesce(v_accounts, '[]'), 'debits', coalesce(v_debits, '[]'), 'lineages', coalesce(v_lineages, '[]'), 'once', coalesce(v_once, '[]')
    );
  END $function$;
`;

/** Rows that were loaded are updated; what is inserted must not be there, or the transaction fails (23505) and is tried again. */
const SAVE = `
  CREATE FUNCTION SCHEMA.save_2(p_tenant text, p_changes json) RETURNS void LANGUAGE plpgsql ${SETTINGS} AS $function$
  DECLARE
    v_remove json := p_changes->'remove';
    v_update json := p_changes->'update';
    v_insert json := p_changes->'insert';
    v_row record;
  BEGIN
    IF json_array_length(v_remove->'debits') > 0 THEN
      FOR v_row IN SELECT id::bigint FROM json_array_elements_text(v_remove->'debits') AS id LOOP
        DELETE FROM SCHEMA.debits WHERE tenant = p_tenant AND id = v_row.id;
      END LOOP;
    END IF;
    IF json_array_length(v_remove->'calls') > 0 THEN
      FOR v_row IN SELECT * FROM json_to_recordset(v_remove->'calls') AS r(envelope text, call text) LOOP
        DELETE FROM SCHEMA.calls WHERE tenant = p_tenant AND envelope = v_row.envelope AND call = v_row.call;
      END LOOP;
    END IF;
    IF json_array_length(v_update->'calls') > 0 THEN
      FOR v_row IN SELECT * FROM json_to_recordset(v_update->'calls') AS r(envelope text, call text, lineage text, phase text, body text) LOOP
        UPDATE SCHEMA.calls SET lineage = v_row.lineage, phase = v_row.phase, body = v_row.body
          WHERE tenant = p_tenant AND envelope = v_row.envelope AND call = v_row.call;
      END LOOP;
    END IF;
    IF json_array_length(v_update->'accounts') > 0 THEN
      FOR v_row IN SELECT * FROM json_to_recordset(v_update->'accounts') AS r(id text, spent bigint, lineage text, keep bigint) LOOP
        UPDATE SCHEMA.accounts SET spent = v_row.spent, lineage = v_row.lineage, keep = v_row.keep WHERE tenant = p_tenant AND id = v_row.id;
      END LOOP;
    END IF;
    IF json_array_length(v_update->'debits') > 0 THEN
      FOR v_row IN SELECT * FROM json_to_recordset(v_update->'debits') AS r(id bigint, envelope text, call text, amount bigint, due bigint) LOOP
        UPDATE SCHEMA.debits SET envelope = v_row.envelope, call = v_row.call, amount = v_row.amount, due = v_row.due
          WHERE tenant = p_tenant AND id = v_row.id;
      END LOOP;
    END IF;
    IF json_array_length(v_update->'lineages') > 0 THEN
      FOR v_row IN SELECT * FROM json_to_recordset(v_update->'lineages') AS r(id text, keep bigint, body text) LOOP
        UPDATE SCHEMA.lineages SET keep = v_row.keep, body = v_row.body WHERE tenant = p_tenant AND id = v_row.id;
      END LOOP;
    END IF;
    IF json_array_length(v_update->'once') > 0 THEN
      FOR v_row IN SELECT * FROM json_to_recordset(v_update->'once') AS r(key text, until bigint) LOOP
        UPDATE SCHEMA.once SET until = v_row.until WHERE tenant = p_tenant AND key = v_row.key;
      END LOOP;
    END IF;
    IF json_array_length(v_insert->'calls') > 0 THEN
      INSERT INTO SCHEMA.calls (tenant, envelope, call, lineage, phase, body)
        SELECT p_tenant, r.* FROM json_to_recordset(v_insert->'calls') AS r(envelope text, call text, lineage text, phase text, body text);
    END IF;
    IF json_array_length(v_insert->'accounts') > 0 THEN
      INSERT INTO SCHEMA.accounts (tenant, id, spent, lineage, keep)
        SELECT p_tenant, r.* FROM json_to_recordset(v_insert->'accounts') AS r(id text, spent bigint, lineage text, keep bigint);
    END IF;
    IF json_array_length(v_insert->'lineages') > 0 THEN
      INSERT INTO SCHEMA.lineages (tenant, id, keep, body)
        SELECT p_tenant, r.* FROM json_to_recordset(v_insert->'lineages') AS r(id text, keep bigint, body text);
    END IF;
    IF json_array_length(v_insert->'once') > 0 THEN
      INSERT INTO SCHEMA.once (tenant, key, until) SELECT p_tenant, r.* FROM json_to_recordset(v_insert->'once') AS r(key text, until bigint);
    END IF;
    IF json_array_length(v_insert->'debits') > 0 THEN
      INSERT INTO SCHEMA.debits (tenant, account, envelope, call, unit, amount, refundable, held, until, due)
        SELECT p_tenant, r.* FROM json_to_recordset(v_insert->'debits')
          AS r(account text, envelope text, call text, unit text, amount bigint, refundable boolean, held bigint, until bigint, due bigint);
    END IF;
  END $function$;
`;

export const LOAD_AND_SAVE: string = LOAD + SAVE;
