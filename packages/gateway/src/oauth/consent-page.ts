import type { AuthorizationRequest } from "./authorization-request.ts";
import type { OfferedPurpose, User } from "./options.ts";
import { html, page, type Markup } from "./page.ts";
import { PATHS } from "./places.ts";

const MINUTE = 60_000;
const STEPS = [15, 60, 4 * 60, 8 * 60, 24 * 60, 7 * 24 * 60, 30 * 24 * 60];

/** The lengths in minutes that a user may pick: the usual ones below the longest, and that. */
export function lengthsOf({ longest }: OfferedPurpose): readonly number[] {
  const most = Math.floor(longest / MINUTE);
  return [...STEPS.filter((minutes) => minutes < most), most];
}

/** Who asks whom for what, with one form for each purpose. Nothing is ticked that the user did not tick. */
export function consentPage(request: AuthorizationRequest, user: User, purposes: readonly OfferedPurpose[], pending: string): Response {
  const { clientName, clientHost, redirectUri } = request;
  const whose =
    clientHost === null ? html`It says that this is its name; nobody has checked it.` : html`Its description comes from <strong>${clientHost}</strong>.`;
  const body = html`<p>You are <strong>${user.name}</strong> (${user.tenantId}).</p>
    <p>${whose} The answer goes to <strong>${placeOf(redirectUri)}</strong>.</p>
    <p>
      Choose one thing that it may work on, the tools that it may use for that, and for how long. You can end it at
      <a href="${PATHS.connections}">your connections</a>.
    </p>
    ${purposes.map((purpose) => purposeForm(purpose, pending))}
    <form method="post" action="${PATHS.consent}">
      <input type="hidden" name="pending" value="${pending}" /><button name="answer" value="deny">Do not allow anything</button>
    </form>`;
  return page(`${clientName} asks for access`, body, { leadsTo: redirectUri });
}

function purposeForm(offered: OfferedPurpose, pending: string): Markup {
  const { purpose, title, tools } = offered;
  return html`<form method="post" action="${PATHS.consent}">
    <h2>${title}</h2>
    <input type="hidden" name="pending" value="${pending}" /><input type="hidden" name="purpose" value="${purpose}" />
    ${Object.entries(tools).map(([id, label]) => html`<label><input type="checkbox" name="tool" value="${id}" /> ${label} <code>${id}</code></label>`)}
    <label
      >For
      <select name="minutes">
        ${lengthsOf(offered).map((minutes) => html`<option value="${minutes}">${spoken(minutes)}</option>`)}
      </select></label
    >
    <button name="answer" value="allow">Allow this</button>
  </form>`;
}

function placeOf(uri: string): string {
  const { protocol, host, hostname } = new URL(uri);
  if (protocol === "http:") return `a program on this computer (${hostname})`;
  return protocol === "https:" ? host : `an app on this device (${protocol})`;
}

function spoken(minutes: number): string {
  const units = [
    [24 * 60, "day"],
    [60, "hour"],
    [1, "minute"],
  ] as const;
  const [size, name] = units.find(([length]) => minutes % length === 0) ?? [1, "minute"];
  const count = minutes / size;
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}
