import { KEEP_UNSETTLED } from "../unsettled.ts";

/** One piece of a sweep; whether there may be more. Waits for nobody: what is in use is dropped the next time. */
const sweep = (create: string, isOver: string): string => `
  ${create} FUNCTION SCHEMA.sweep_1(p_now bigint, p_most integer) RETURNS boolean LANGUAGE plpgsql AS $function$
  DECLARE
    v_row record;
    v_count integer;
    v_more boolean := false;
  BEGIN
    v_count := 0;
    FOR v_row IN SELECT l.tenant, l.id FROM SCHEMA.lineages l WHERE l.keep < p_now ${isOver} LIMIT p_most FOR UPDATE SKIP LOCKED LOOP
      DELETE FROM SCHEMA.calls WHERE ctid = ANY (ARRAY(
        SELECT c.ctid FROM SCHEMA.calls c WHERE c.tenant = v_row.tenant AND c.lineage = v_row.id FOR UPDATE SKIP LOCKED));
      DELETE FROM SCHEMA.lineages l WHERE l.tenant = v_row.tenant AND l.id = v_row.id
        AND NOT EXISTS (SELECT 1 FROM SCHEMA.calls c WHERE c.tenant = v_row.tenant AND c.lineage = v_row.id);
      IF FOUND THEN v_count := v_count + 1; END IF;
    END LOOP;
    v_more := v_more OR v_count = p_most;
    v_count := 0;
    FOR v_row IN SELECT a.tenant, a.id FROM SCHEMA.accounts a WHERE a.keep < p_now
      AND NOT EXISTS (SELECT 1 FROM SCHEMA.lineages l WHERE l.tenant = a.tenant AND l.id = a.lineage) LIMIT p_most FOR UPDATE OF a SKIP LOCKED
    LOOP
      DELETE FROM SCHEMA.debits WHERE tenant = v_row.tenant AND account = v_row.id;
      DELETE FROM SCHEMA.accounts WHERE tenant = v_row.tenant AND id = v_row.id;
      v_count := v_count + 1;
    END LOOP;
    v_more := v_more OR v_count = p_most;
    DELETE FROM SCHEMA.once WHERE ctid = ANY (ARRAY(SELECT ctid FROM SCHEMA.once WHERE until < p_now LIMIT p_most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_more := v_more OR v_count = p_most;
    DELETE FROM SCHEMA.admissions WHERE ctid = ANY (ARRAY(SELECT ctid FROM SCHEMA.admissions WHERE keep < p_now LIMIT p_most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_more := v_more OR v_count = p_most;
    DELETE FROM SCHEMA.revocations WHERE ctid = ANY (ARRAY(SELECT ctid FROM SCHEMA.revocations WHERE keep < p_now LIMIT p_most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_more := v_more OR v_count = p_most;
    DELETE FROM SCHEMA.beacons WHERE at < now() - interval '1 day';
    RETURN v_more;
  END $function$;
`;

export const SWEEP: string = sweep("CREATE", "");

/** Finds the calls that nobody settled, and keeps their lineage: since `0005-unsettled`. */
export const UNSETTLED_CALLS: string = `
  CREATE INDEX calls_unsettled ON SCHEMA.calls (tenant, envelope, call) WHERE phase IN ('redeemed', 'rerun', 'unknown');
  ${sweep(
    "CREATE OR REPLACE",
    `AND (l.keep < p_now - ${KEEP_UNSETTLED} OR NOT EXISTS (
      SELECT 1 FROM SCHEMA.calls c WHERE c.tenant = l.tenant AND c.lineage = l.id AND c.phase IN ('redeemed', 'rerun', 'unknown')))`,
  )}
`;
