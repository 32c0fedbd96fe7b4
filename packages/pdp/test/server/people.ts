import { OPERATOR } from "./scene.ts";

/** What a route about people answered: its status, and the code of the problem. */
export async function write(url: string, path: "users" | "users/remove" | "relations", body: unknown, headers: Record<string, string> = {}): Promise<string> {
  const answer = await fetch(`${url}/ambit/v1/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${OPERATOR}`, "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const told = (await answer.json()) as { readonly error?: { readonly code: string } };
  return told.error === undefined ? String(answer.status) : `${answer.status} ${told.error.code}`;
}

export const userOf = (id: string, roles: readonly string[] = [], tenant = "tenant_1"): object => ({
  tenant_id: tenant,
  user: { id, roles, attributes: {}, source: "hr" },
});

/** `Doc:1 viewer group:eng#member`. */
export function tupleOf(text: string): object {
  const [object = "", relation = "", who = ""] = text.split(" ");
  const [name = "", userset] = who.split("#");
  const ref = (written: string): object => ({ type: written.slice(0, written.indexOf(":")), id: written.slice(written.indexOf(":") + 1) });
  return { object: ref(object), relation, subject: { ...ref(name), ...(userset === undefined ? {} : { relation: userset }) } };
}
