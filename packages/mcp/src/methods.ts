/**
 * INVARIANT I3: every method is decided, on one of these lists, or refused. Exact names (I14).
 */
export const DECIDED = "tools/call";

/** Requests of the client that pass: they set up the connection or say what there is. */
export const PASSED_REQUESTS: ReadonlySet<string> = new Set(["initialize", "ping", "server/discover", "tools/list"]);

/** Notifications of the client that pass. A `tools/call` without an id is not one: a careless server would run it. */
export const PASSED_NOTIFICATIONS: ReadonlySet<string> = new Set([
  "notifications/initialized",
  "notifications/cancelled",
  "notifications/progress",
  "notifications/roots/list_changed",
  "notifications/tasks/status",
]);

/** Notifications of the server that say no more than that something is new: while a result is held they alone pass beside progress, without parameters. */
export const BARE_SERVER_NOTIFICATIONS: ReadonlySet<string> = new Set([
  "notifications/tools/list_changed",
  "notifications/prompts/list_changed",
  "notifications/resources/list_changed",
]);

/** Requests of the server that reach the client. Sampling, elicitation and roots would let the server act in the delegator's name. */
export const PASSED_SERVER_REQUESTS: ReadonlySet<string> = new Set(["ping"]);
