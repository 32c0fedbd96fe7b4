import { metaOf, paramsOf, type Notification, type Request, type Wire } from "./json-rpc.ts";
import { BARE_SERVER_NOTIFICATIONS } from "./methods.ts";

/** A request that waits for its answer; `admission` is that of a decided one. */
export interface Open {
  readonly request: Request;
  readonly admission?: { readonly holdsResult: boolean } | undefined;
}

/** Whether a result is waited for in which something must be checked. */
export function isHeld(open: Iterable<Open>): boolean {
  return [...open].some(({ admission }) => admission?.holdsResult === true);
}

/** What must be checked in a result must not come before it in a notification of the server. `undefined`: nothing of the notification is shown. */
export function shownOf(notification: Notification, open: Iterable<Open>): Wire | undefined {
  const { method, wire } = notification;
  const { progressToken, progress, total } = paramsOf(notification);
  const isProgress = method === "notifications/progress";
  const entries = [...open];
  if (isProgress && !entries.some(({ request }) => metaOf(request, "progressToken") === progressToken)) return undefined;
  if (!isHeld(entries)) return wire;
  if (!isProgress) return BARE_SERVER_NOTIFICATIONS.has(method) ? { jsonrpc: "2.0", method } : undefined;
  const numbers = Object.entries({ progress, total }).filter(([, value]) => typeof value === "number");
  return { ...wire, params: { progressToken, ...Object.fromEntries(numbers) } };
}
