import { createHash } from "node:crypto";

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
form{border:1px solid #ccc;border-radius:.5rem;padding:1rem;margin:1rem 0}label{display:block}h2{margin-top:0}button{font:inherit;padding:.4rem 1rem}`;
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** Text that is safe to stand in a page. */
export interface Markup {
  readonly markup: string;
}

/** What is put in is text, whatever it says; lists and other markup stay what they are. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | number | Markup | readonly Markup[])[]): Markup {
  const written = values.map((value) =>
    typeof value === "object"
      ? [value]
          .flat()
          .map(({ markup }) => markup)
          .join("")
      : escaped(String(value)),
  );
  return { markup: parts.map((part, index) => part + (written[index] ?? "")).join("") };
}

export interface PageOptions {
  readonly status?: number;
  /** Where forms may lead, by redirects too, beside here: an address. */
  readonly leadsTo?: string;
}

/** A page without scripts, that no other page may frame. */
export function page(title: string, body: Markup, { status = 200, leadsTo }: PageOptions = {}): Response {
  // Not `html`, which is laid out anew by formatters: the style has to be what its hash is of.
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${STYLE}</style>`;
  const text = `<!doctype html><html lang="en"><head>${head}</head><body><h1>${escaped(title)}</h1>${body.markup}</body></html>`;
  const policy = ["default-src 'none'", `style-src 'sha256-${STYLE_HASH}'`, `form-action 'self'${leadsTo === undefined ? "" : ` ${sourceOf(leadsTo)}`}`];
  return new Response(text, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": [...policy, "base-uri 'none'", "frame-ancestors 'none'"].join("; "),
      "x-frame-options": "DENY",
      "x-content-type-options": "nosniff",
      // Not `no-referrer`: with that, browsers tell no origin of a form.
      "referrer-policy": "same-origin",
      "cache-control": "no-store",
    },
  });
}

/** Tells a user what does not work. */
export function refusal(reason: string, status = 400): Response {
  return page("This does not work", html`<p>${reason}</p>`, { status });
}

/** The source expression of an address. Those of apps have no origin, and IPv6 is not to be written there. */
function sourceOf(address: string): string {
  const { protocol, origin, hostname } = new URL(address);
  return origin === "null" || hostname[0] === "[" ? protocol : origin;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
