import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { JsonObject } from "@ambit/core";
import { present } from "./present.ts";
import type { World } from "./world.ts";

/** An agent of which every byte that reaches it is kept. */
export async function observedClient(world: World) {
  const seen: string[] = [];
  const watched = async (input: string | URL, init?: RequestInit): Promise<Response> => {
    const answer = await fetch(input, init);
    seen.push(JSON.stringify([...answer.headers]));
    if (answer.body === null) return answer;
    const [body, copy] = answer.body.tee();
    void new Response(copy).text().then(
      (text) => seen.push(text),
      () => undefined,
    );
    return new Response(body, { status: answer.status, headers: answer.headers });
  };
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  await client.connect(new StreamableHTTPClientTransport(world.url, { fetch: watched }));
  return {
    seen: () => seen.join("\n"),
    /** The result, or the code of the refusal. */
    call: async (name: string, args: JsonObject) => {
      const result = await client.callTool({ name, arguments: args, _meta: await present(world, name, args) }).catch((error: Error) => {
        seen.push(`${error.message} ${error.stack} ${JSON.stringify(error)}`);
        throw error;
      });
      const [first] = result.content as readonly { readonly text: string }[];
      if (result.isError !== true) return { text: first?.text ?? "" };
      return { code: (JSON.parse(first?.text ?? "") as { error: { code: string } }).error.code };
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** Every way of writing a secret that is found in a text, by its name; none is what a test wants. */
export function waysFound(secret: string, text: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const ways: Record<string, string> = {
    raw: secret,
    hex: bytes.toString("hex"),
    percent: encodeURIComponent(secret),
    json: JSON.stringify(secret).slice(1, -1),
  };
  // What of base64 does not depend on what stands around it.
  for (const shift of [0, 1, 2])
    for (const alphabet of ["base64", "base64url"] as const)
      ways[`${alphabet} ${shift}`] = bytes.subarray(shift, shift + Math.floor((bytes.length - shift) / 3) * 3).toString(alphabet);
  return Object.entries(ways).flatMap(([name, written]) => (text.toLowerCase().includes(written.toLowerCase()) ? [name] : []));
}
