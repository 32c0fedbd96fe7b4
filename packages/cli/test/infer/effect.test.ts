import type { Effect } from "@ambit/pdp";
import { describe, expect, test } from "vitest";
import { inferEffect } from "../../src/infer/effect.ts";

type Row = readonly [name: string, description: string, effect: Effect, sendsOutside?: true];
const rows = (table: readonly Row[]): [string, string, Effect, boolean][] =>
  table.map(([name, description, effect, sendsOutside]) => [name, description, effect, sendsOutside === true]);

const judge = (name: string, description = "", properties: Record<string, object> = {}, annotations?: Record<string, boolean>) =>
  inferEffect({ name, description, inputSchema: { type: "object", properties: properties as Record<string, Record<string, string>> }, annotations });

const BY_NAME: readonly Row[] = [
  ["contracts.read", "", "read"],
  ["listInvoices", "", "read"],
  ["get-user-by-id", "", "read"],
  ["warehouse.shelves.list", "", "read"],
  ["erp__fetch_ledger", "", "read"],
  ["inbox_search_threads", "", "read"],
  ["look_up_part", "", "read"],
  ["get_sent_parcels", "", "read"],
  ["list_deleted_items", "", "read"],
  ["check_stock", "", "read"],
  ["check_out_guest", "", "write"],
  ["tickets.create", "", "write"],
  ["renameFolder", "", "write"],
  ["get_or_create_basket", "", "write"],
  ["read_write_register", "", "write"],
  ["list_then_purge", "", "destructive"],
  ["search_and_remove", "", "destructive"],
  ["cancel_booking", "", "destructive"],
  ["dropTable", "", "destructive"],
  ["sendReminder", "", "write", true],
  ["publish_article", "", "write", true],
  ["pay_invoice", "", "write", true],
  ["frobnicate", "", "write", true],
  ["return_parcel", "Returns the parcel to the shop.", "write", true],
];

const BY_DESCRIPTION: readonly Row[] = [
  // The name has no verb, so the description decides.
  ["weather", "Get the weather of a city.", "read"],
  ["stock_level", "Returns how many are left.", "read"],
  ["shelf", "Puts a thing on a shelf.", "write"],
  ["tidy", "Inspects the shelf and tidies it.", "write"],
  ["parcel", "This tool can be used to delete a parcel.", "destructive"],
  ["courier", "A tool that sends parcels to customers.", "write", true],
  // The description says more than the name.
  ["get_next_order", "Fetch the next order, removing it from the queue.", "destructive"],
  ["get_report", "Gets the report and then emails it to the owner.", "write", true],
  ["read_inbox", "Reads the inbox. It also archives what was read.", "write"],
  ["list_notices", "Lists the notices. The notices are marked as seen afterwards.", "write"],
  ["get_quote", "Gets a quote. The customer will be notified.", "write", true],
  ["get_balance", "Use this tool to transfer money between accounts.", "write", true],
  ["get_basket", "Get, update or list baskets.", "write"],
  ["fetch_page", "Fetch a page. Careful: it will overwrite the page in the cache.", "destructive"],
  ["view_log", "Shows the log. This has side effects on the reader's position.", "write"],
  ["set_price", "Sets the price. This cannot be undone.", "destructive"],
  ["save_file", "Create a new file or completely overwrite an existing one.", "destructive"],
  // It speaks of changes, but makes none.
  ["list_orders", "List orders and updates for a customer.", "read"],
  ["list_events", "Lists events that were cancelled or will be deleted.", "read"],
  ["get_order_history", "Order history of a customer.", "read"],
  ["get_record", "If the record is deleted, returns nothing.", "read"],
  ["search_posts", "Searches posts, messages, and comments.", "read"],
  ["get_rates", "Gets rates. The rates are updated daily.", "read"],
  ["get_rows", "Gets rows. Rows are ordered by date.", "read"],
  ["get_state", "Gets the state. It has no side effects.", "read"],
  ["find_page", "Finds a page. Use this tool before you delete a page.", "read"],
  ["get_code", "Gets the code for `delete everything` from the table.", "read"],
];

describe("inferEffect", () => {
  test.each(rows(BY_NAME))("judges %s by its name", (name, description, effect, sendsOutside) => {
    expect(judge(name, description)).toMatchObject({ effect, sendsOutside });
  });

  test.each(rows(BY_DESCRIPTION))("judges %s, described as %s", (name, description, effect, sendsOutside) => {
    expect(judge(name, description)).toMatchObject({ effect, sendsOutside });
  });

  test("takes a parameter that holds a program for the power to do anything", () => {
    expect(judge("query", "Runs a read-only SQL query.", { sql: { type: "string" } })).toMatchObject({ effect: "destructive", sendsOutside: true });
    expect(judge("python", "Executes Python.", { code: { type: "string" } })).toMatchObject({ effect: "destructive", sendsOutside: true });
    expect(judge("get_airport", "Gets an airport.", { code: { type: "string" } })).toMatchObject({ effect: "read", sendsOutside: false });
  });

  test("is as strict as the strictest of several actions", () => {
    const { effect } = judge("shelf_tool", "Lists shelves.", { action: { anyOf: [{ enum: ["list", "add", "remove"] }, { type: "null" }] } as object });
    expect(effect).toBe("destructive");
    expect(judge("get_shelf", "", { action: { enum: ["list", "count"] } as object }).effect).toBe("read");
  });

  test("sees actions behind a reference", () => {
    const inputSchema = { type: "object", properties: { action: { $ref: "#/$defs/Action" } }, $defs: { Action: { enum: ["get", "delete"] } } };
    expect(inferEffect({ name: "get_shelf", inputSchema }).effect).toBe("destructive");
  });

  test("takes parameters that only a change needs for a change", () => {
    expect(judge("get_shelf", "", { dryRun: { type: "boolean" } }).effect).toBe("write");
    expect(judge("get_shelf", "", { overwrite: { type: "boolean" } }).effect).toBe("write");
  });

  test("takes an address to fetch from, or to write to, for a way out", () => {
    expect(judge("fetch", "Fetches a page.", { url: { type: "string" } })).toMatchObject({ effect: "read", sendsOutside: true });
    expect(judge("add_guest", "", { attendees: { type: "array" } }).sendsOutside).toBe(true);
    expect(judge("list_guests", "", { attendees: { type: "array" } }).sendsOutside).toBe(false);
  });

  test("lets annotations tighten only", () => {
    expect(judge("get_shelf", "", {}, { destructiveHint: true }).effect).toBe("destructive");
    expect(judge("get_shelf", "", {}, { readOnlyHint: false }).effect).toBe("write");
    expect(judge("get_shelf", "", {}, { openWorldHint: true }).sendsOutside).toBe(true);
    expect(judge("delete_shelf", "", {}, { readOnlyHint: true, destructiveHint: false }).effect).toBe("destructive");
    expect(judge("frobnicate", "", {}, { readOnlyHint: true, openWorldHint: false })).toMatchObject({ effect: "write", sendsOutside: true });
  });

  test("lets an HTTP method tighten only", () => {
    expect(inferEffect({ name: "shelves", method: "get" }).effect).toBe("read");
    expect(inferEffect({ name: "delete_shelf", method: "get" }).effect).toBe("destructive");
    expect(inferEffect({ name: "search_shelves", method: "post" }).effect).toBe("write");
    expect(inferEffect({ name: "get_shelf", method: "delete" }).effect).toBe("destructive");
  });

  test("says what each guess rests on", () => {
    expect(judge("get_report", "Gets the report and then emails it.").reasons).toEqual(["the name says `get`", "the description says `and emails`"]);
    expect(judge("frobnicate").reasons).toEqual(["nothing says what it does"]);
  });

  test("takes time in proportion to a long description", () => {
    const started = performance.now();
    judge("get_shelf", "and it will then also ".repeat(10_000), { ["A".repeat(200_000)]: { type: "string" } });
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
