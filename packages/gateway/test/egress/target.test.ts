import { describe, expect, it } from "vitest";
import { createEgress } from "../../src/egress/index.ts";
import { hostileVectors } from "../support/hostile-vectors.ts";
import { codeOf } from "../support/outcome.ts";

interface UrlVector {
  readonly url: string;
  readonly whatwg_host: string | null;
  readonly expect: string;
}
const vectors = hostileVectors<{ readonly vectors: readonly UrlVector[] }>("ssrf-urls.json")?.vectors;

/** An egress without a network: it gets as far as asking for addresses, and is told whether it asked. */
function without(origins: readonly string[]): { readonly asked: string[]; readonly ask: (url: string | URL) => Promise<unknown> } {
  const asked: string[] = [];
  const resolve = (host: string): Promise<readonly string[]> => {
    asked.push(host);
    return Promise.resolve([]);
  };
  const { fetch } = createEgress({ origins, resolve });
  return { asked, ask: (url) => codeOf(fetch(url)) };
}

describe.skipIf(vectors === undefined)("hostile addresses", () => {
  it.each(vectors ?? [])("$url: $expect", async ({ url, expect: expected }) => {
    const { asked, ask } = without(["https://api.example.com"]);
    const isRefused = expected.split(" ")[0] === "deny";
    expect(await ask(url)).toBe(isRefused ? "egress_refused" : "upstream_unavailable");
    expect(asked).toEqual(isRefused ? [] : ["api.example.com"]);
  });

  const inside = (vectors ?? []).filter((vector) => vector.expect === "deny" && /^(?:[\d.]+|\[.*\])$/.test(vector.whatwg_host ?? ""));
  it.each(inside)("$url is refused even where its origin is listed", async ({ url }) => {
    const { protocol, host } = new URL(url);
    for (const scheme of [protocol, "https:"]) {
      if (scheme !== "http:" && scheme !== "https:") continue;
      const { ask } = without([new URL(`${scheme}//${host}`).origin]);
      expect(await ask(`${scheme}//${host}/`)).toBe("egress_refused");
    }
  });

  it("contains addresses of both kinds", () => {
    expect(vectors?.length).toBeGreaterThan(45);
    expect(inside.length).toBeGreaterThan(20);
  });
});

describe("an origin", () => {
  it("is compared exactly: scheme, host and port", async () => {
    const { asked, ask } = without(["https://api.example.com", "https://xn--bcher-kva.example:8443"]);
    for (const url of [
      "http://api.example.com/",
      "https://api.example.com:444/",
      "https://api.example.com.evil.test/",
      "https://evil.test/https://api.example.com/",
      "https://sub.api.example.com/",
      "https://api.example.com@evil.test/",
      "https://api.example.com:x@api.example.com/",
      "https://user@api.example.com/",
      "https:\\\\api.example.com/",
      "https://api.example.com\\@evil.test/",
      " https://api.example.com/",
      "https://api.example.com/ ",
      "https://api.exa\nmple.com/",
      "https://api.example.com/a\r\nb",
      "/relative",
      "",
      "blob:https://api.example.com/x",
      "wss://api.example.com/",
    ]) {
      expect(await ask(url), url).toBe("egress_refused");
    }
    expect(asked).toEqual([]);
    for (const url of [
      "https://api.example.com:443/",
      "HTTPS://API.example.COM/a?b#c",
      new URL("https://api.example.com/a b"),
      "https://bücher.example:8443/",
    ]) {
      expect(await ask(url), String(url)).toBe("upstream_unavailable");
    }
    expect(asked).toEqual(["api.example.com", "api.example.com", "api.example.com", "xn--bcher-kva.example"]);
  });

  it("that is not written as one is refused at once", async () => {
    for (const origin of [
      "https://api.example.com/",
      "https://API.example.com",
      "https://a.test:443",
      "*",
      "https://*.example.com/",
      "file://",
      "null",
      "",
      "a.test",
    ]) {
      expect(await codeOf(() => createEgress({ origins: [origin] })), origin).toBe("option_invalid");
    }
  });

  it("is not named in the refusal, nor is anything of the address", async () => {
    const { fetch } = createEgress({ origins: ["https://api.example.com"] });
    const secret = "hunter2hunter2";
    for (const url of [
      `https://${secret}.test/`,
      `https://api.example.com:${secret}@api.example.com/`,
      `https://a:${secret}`,
      `${secret}`,
      `https://x/\n${secret}`,
    ]) {
      const error: unknown = await fetch(url).catch((reason: unknown) => reason);
      expect(JSON.stringify([String(error), (error as Error).stack, (error as Error).cause])).not.toContain(secret);
    }
  });
});
