import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { connectorHeaders, createEgress } from "../../src/egress/index.ts";
import { createScrubber } from "../../src/scrub/index.ts";
import { serve } from "../support/servers.ts";
import { ofBytes, ofText } from "./encoders.ts";

const CANARY = 'canary/7f+3%A9&"xyz"=';
const encoders = [...ofBytes, ...ofText];

/** Sends a text a few bytes at a time. */
async function drip(response: ServerResponse, text: Buffer): Promise<void> {
  for (let at = 0; at < text.length; at += 7) {
    response.write(text.subarray(at, at + 7));
    await new Promise(setImmediate);
  }
  response.end();
}

describe("a server that reflects the credential", () => {
  it.each(encoders)("gives nothing away: $name", async ({ encode }) => {
    await using server = await serve((request, response) => {
      const credential = Buffer.from(request.headers["x-api-key"] as string);
      const text = Buffer.concat([Buffer.from("your key: "), Buffer.from(encode(credential)), Buffer.from(" thanks")]);
      if (request.url === "/json") return void response.end(JSON.stringify({ echo: text.toString(), [text.toString()]: [1] }));
      if (request.url === "/gzip") return void response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(text));
      void drip(response, text);
    });
    using scrubber = createScrubber([Buffer.from(CANARY)]);
    const { fetch, close } = createEgress({ origins: [server.origin], allowPrivate: ["127.0.0.1"] });
    const headers = connectorHeaders({ "X-API-Key": CANARY });
    const clean = /^your key: [^ ]{0,30}\[redacted\][^ ]{0,30} thanks$/;

    const json = scrubber.value(await (await fetch(`${server.origin}/json`, { headers })).json()) as Record<string, unknown>;
    for (const text of [json["echo"], Object.keys(json)[1]]) expect(text).toMatch(clean);
    expect(scrubber.text(await (await fetch(`${server.origin}/gzip`, { headers })).text())).toMatch(clean);
    const { body } = await fetch(`${server.origin}/stream`, { headers });
    expect(await new Response(body?.pipeThrough(scrubber.stream())).text()).toMatch(clean);
    await close();
  });

  it("is tried with more than a dozen encodings", () => {
    expect(encoders.length).toBeGreaterThan(12);
  });
});
