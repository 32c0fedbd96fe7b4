/**
 * INVARIANT I3: every method is decided, on one of these lists, or refused. Exact names (I14).
 */
export const CALL = "tools/call";
export const READ = "resources/read";

/** Requests of the client that are decided: a call by its tool, the others under their own names, with their parameters as arguments. */
export const DECIDED_REQUESTS: ReadonlySet<string> = new Set([
  CALL,
  READ,
  "resources/subscribe",
  "resources/unsubscribe",
  "prompts/get",
  "completion/complete",
  "logging/setLevel",
  "tasks/get",
  "tasks/result",
  "tasks/list",
  "tasks/cancel",
  "tasks/update",
  "subscriptions/listen",
]);

/** Requests of the server that are decided under their own names: they would let the server act in the delegator's name. */
export const DECIDED_SERVER_REQUESTS: ReadonlySet<string> = new Set(["sampling/createMessage", "elicitation/create", "roots/list"]);

/** Whether a tool of this name could be taken for a method, or a method for the tool. */
export function isNameOfMethod(name: string): boolean {
  return DECIDED_REQUESTS.has(name) || DECIDED_SERVER_REQUESTS.has(name);
}

/** Requests that pass in either direction. */
export const PASSED_SERVER_REQUESTS: ReadonlySet<string> = new Set(["ping"]);

/** What a list has, and what must be allowed for an element of it to be shown: the tool of its name, or the method that reads it. */
export interface ListRule {
  readonly member: string;
  readonly method?: string;
}

/** Requests for what there is: they pass, and of what they bring only that is shown which the envelope could use. */
export const LISTS: ReadonlyMap<string, ListRule> = new Map<string, ListRule>([
  ["tools/list", { member: "tools" }],
  ["resources/list", { member: "resources", method: READ }],
  ["resources/templates/list", { member: "resourceTemplates", method: READ }],
  ["prompts/list", { member: "prompts", method: "prompts/get" }],
]);

/** Requests of the client that pass: they set up the connection or say what there is. */
export const PASSED_REQUESTS: ReadonlySet<string> = new Set(["initialize", "ping", "server/discover", ...LISTS.keys()]);

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
