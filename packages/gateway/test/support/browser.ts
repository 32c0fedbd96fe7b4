/** The page that a browser came to, with what its forms would send. */
export interface Visited {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A browser of one user: cookies by host, redirects followed but those to where a client waits, forms sent. */
export class Browser {
  readonly #cookies = new Map<string, Map<string, string>>();
  readonly #user: string;

  constructor(user: string) {
    this.#user = user;
  }

  /** Ends at the first page, or at an address that begins with `until`. Signs in where it is asked to. */
  async visit(
    address: string | URL,
    until: string,
    init: { readonly method?: string; readonly body?: URLSearchParams; readonly headers?: Record<string, string> } = {},
  ): Promise<Visited> {
    let [url, send] = [new URL(address), init];
    for (let count = 0; count < 20; count++) {
      if (url.href.startsWith(until)) return { url, status: 0, headers: new Headers(), text: "" };
      const response = await fetch(url, { ...send, redirect: "manual", headers: { ...send.headers, cookie: this.#cookiesFor(url) } });
      this.#keep(url, response);
      const location = response.headers.get("location");
      const text = await response.text();
      if (location !== null) [url, send] = [new URL(location, url), {}];
      else if (url.pathname.startsWith("/login/")) url = new URL(`${url.href}?as=${this.#user}`);
      else return { url, status: response.status, headers: response.headers, text };
    }
    throw new Error("too many redirects");
  }

  /** Sends the form of a page, with the hidden field that all of its forms have. */
  async answer(
    page: Visited,
    path: string,
    fields: readonly (readonly [string, string])[],
    until: string,
    headers: Record<string, string> = { origin: page.url.origin },
  ): Promise<Visited> {
    const [, name = "", value = ""] = /<input\s+type="hidden"\s+name="(pending|shown)"\s+value="([^"]+)"/.exec(page.text) ?? [];
    const body = new URLSearchParams([[name, value], ...fields.map(([field, content]) => [field, content] as [string, string])]);
    return this.visit(new URL(path, page.url), until, { method: "POST", body, headers });
  }

  #cookiesFor({ host }: URL): string {
    return [...(this.#cookies.get(host) ?? [])].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  #keep({ host }: URL, response: Response): void {
    const jar = this.#cookies.get(host) ?? new Map<string, string>();
    this.#cookies.set(host, jar);
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ""] = cookie.split(";");
      const at = pair.indexOf("=");
      if (/Max-Age=0|expires=Thu, 01 Jan 1970/i.test(cookie)) jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
  }
}
