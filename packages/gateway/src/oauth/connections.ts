import type { JsonObject } from "@ambit/core";
import { PATIENCE } from "./browser.ts";
import type { Form } from "./form.ts";
import type { Grants } from "./grants.ts";
import type { User } from "./options.ts";
import { html, page } from "./page.ts";
import { PATHS } from "./places.ts";
import type { Seal } from "./seal.ts";

interface Shown {
  readonly state: string;
  readonly user: JsonObject & User;
}

const KIND = "connections";

/** What a user allowed, with a button that ends each. */
export async function showConnections({ seal, grants }: { readonly seal: Seal; readonly grants: Grants }, state: string, user: User): Promise<Response> {
  const shown = await seal.seal(KIND, { state, user: { ...user } }, PATIENCE);
  const found = await grants.of(user);
  const forms = found.map(
    ({ id, clientName, purpose, tools, until }) =>
      html`<form method="post" action="${PATHS.connections}">
        <h2>${clientName}</h2>
        <p>${purpose}: ${tools.join(", ")}, until ${new Date(until).toISOString()}</p>
        <input type="hidden" name="shown" value="${shown}" /><button name="grant" value="${id}">Disconnect</button>
      </form>`,
  );
  return page(
    "Your connections",
    html`<p>You are <strong>${user.name}</strong> (${user.tenantId}).</p>
      ${forms.length === 0 ? html`<p>There are none.</p>` : forms}`,
  );
}

/** Whose page a form is of. */
export async function shownIn(seal: Seal, form: Form): Promise<Shown | undefined> {
  return (await seal.open(KIND, form.one("shown") ?? "")) as unknown as Shown | undefined;
}

/** Ends one of the user's own, and shows the others. */
export async function disconnect(setting: { readonly seal: Seal; readonly grants: Grants }, form: Form, { state, user }: Shown): Promise<Response> {
  const own = (await setting.grants.of(user)).find(({ id }) => id === form.one("grant"));
  if (own !== undefined) await setting.grants.end(own.tenantId, own.id);
  return showConnections(setting, state, user);
}
