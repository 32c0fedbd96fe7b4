import type { JsonObject } from "@ambit/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AUDIENCE, openSession, type Session } from "../fixtures/session.ts";

let session: Session;
beforeEach(async () => {
  session = await openSession();
  await session.mint("--out", "chain.json");
});
afterEach(() => session.end());

const CALL = ["--tool", "crm.read"];
const PROVE = ["prove", "--chain", "chain.json", "--key", "agent.jwk"];

async function verdict(presentation: string, args: string, ...options: readonly string[]): Promise<string> {
  const verify = ["verify", "-", "--anchors", "anchors.json", "--config", "ambit.config.json", "--audience", AUDIENCE, "--json", ...CALL];
  const ran = await session.run([...verify, "--args", args, ...options], { stdin: presentation });
  expect(ran.err).toBe("");
  const { verdict: word, code } = JSON.parse(ran.out) as { readonly verdict: string; readonly code?: string };
  return code ?? word;
}

describe("ambit prove", () => {
  test("prints a presentation that a verifier permits for this call and no other", async () => {
    const args = '{"customer_id": "c1", "limit": 2.50}';
    const made = await session.run([...PROVE, ...CALL, "--args", args, "--audience", AUDIENCE]);
    expect(made.exitCode).toBe(0);
    expect(made.err).toBe(`proved: this call of crm.read to ${AUDIENCE}, once\n`);
    expect(Object.keys(JSON.parse(made.out) as JsonObject)).toEqual(["aat_chain", "aat_pop"]);
    expect(await verdict(made.out, args)).toBe("PERMIT");
    expect(await verdict(made.out, '{"limit":25e-1,"customer_id":"c1"}')).toBe("PERMIT"); // the same arguments
    expect(await verdict(made.out, '{"customer_id": "c2", "limit": 2.5}')).toBe("pop_invalid");
    const again = await session.run([...PROVE, ...CALL, "--args", args, "--audience", AUDIENCE]);
    expect(again.out).not.toBe(made.out);
    const elsewhere = await session.out(...PROVE, ...CALL, "--args", args, "--audience", "https://other.example");
    expect(await verdict(elsewhere, args)).toBe("audience_mismatch");
  });

  test("carries the nonce of the verifier", async () => {
    const made = await session.out(...PROVE, ...CALL, "--args", "{}", "--nonce", "n1");
    expect(await verdict(made, "{}", "--nonce", "n1")).toBe("PERMIT");
    expect(await verdict(made, "{}", "--nonce", "n2")).toBe("pop_invalid");
    const bare = await session.out(...PROVE, ...CALL, "--args", "{}");
    expect(await verdict(bare, "{}", "--nonce", "n1")).toBe("pop_invalid");
  });

  test("reads arguments from a file, and a chain or a key from stdin", async () => {
    await session.write("args.json", { customer_id: "c1" });
    for (const source of ["@args.json", "args.json"]) {
      expect(await verdict(await session.out(...PROVE, ...CALL, "--args", source), "args.json")).toBe("PERMIT");
    }
    const piped = await session.run(["prove", "--chain", "-", "--key", "agent.jwk", ...CALL, "--args", "{}"], { stdin: await session.read("chain.json") });
    expect(await verdict(piped.out, "{}")).toBe("PERMIT");
    const both = await session.run(["prove", "--chain", "-", "--key", "-", ...CALL, "--args", "{}"], { stdin: await session.read("chain.json") });
    expect(both).toMatchObject({ exitCode: 2, out: "" });
    expect(both.err).toMatch(/^error\[usage\]/);
    const keyed = await session.run(["prove", "--chain", "chain.json", "--key", "-", ...CALL, "--args", "{}"], { stdin: await session.read("agent.jwk") });
    expect(await verdict(keyed.out, "{}")).toBe("PERMIT");
  });

  test("proves a derived chain for its holder alone", async () => {
    await session.attenuate({ agent_id: "classifier", allowed_tools: ["crm.read"] }, "--out", "child.json");
    const prove = (key: string): ReturnType<Session["run"]> => session.run(["prove", "--chain", "child.json", "--key", key, ...CALL, "--args", "{}"]);
    expect(await verdict((await prove("next.jwk")).out, "{}")).toBe("PERMIT");
    for (const key of ["agent.jwk", "issuer.jwk"]) {
      const ran = await prove(key);
      expect(ran).toMatchObject({ exitCode: 1, out: "" });
      expect(ran.err).toMatch(/^error\[holder_mismatch\]/);
    }
  });

  test("tells more of it to programs, and never the key", async () => {
    const { out, err } = await session.run([...PROVE, ...CALL, "--args", "{}", "--audience", AUDIENCE, "--nonce", "n1", "--json"]);
    expect(err).toBe("");
    expect(JSON.parse(out)).toMatchObject({ tool: "crm.read", audience: AUDIENCE, nonce: "n1", notes: [], aat_pop: expect.any(String) });
    expect(await verdict(out, "{}", "--nonce", "n1")).toBe("PERMIT"); // it is a presentation, too
    const { d } = JSON.parse(await session.read("agent.jwk")) as { readonly d: string };
    const plain = await session.run([...PROVE, ...CALL, "--args", "{}"]);
    expect(out + plain.out + plain.err).not.toContain(d);
  });

  test("says what any verifier will deny, and leaves it to the verifier", async () => {
    const ran = await session.run([...PROVE, "--tool", "mail.send", "--args", "{}", "--audience", "https://other.example"]);
    expect(ran.exitCode).toBe(0);
    expect(ran.err.match(/^note: /gm)).toHaveLength(2);
    const [token] = (JSON.parse(await session.read("chain.json")) as { readonly aat_chain: readonly string[] }).aat_chain;
    await session.write("twice.json", { aat_chain: [token, token] });
    const twice = await session.run(["prove", "--chain", "twice.json", "--key", "agent.jwk", ...CALL, "--args", "{}"]);
    expect(twice.err).toMatch(/^note: no verifier would take the chain: /m);
  });

  test.each([
    ["usage", ["--chain", ""]],
    ["usage", ["--key", ""]],
    ["usage", ["--tool", ""]],
    ["usage", ["--args", ""]],
    ["usage", ["--args", "@"]],
    ["usage", ["--audience", ""]],
    ["usage", ["--nonce", ""]],
    ["usage", ["--key", '{"kty":"OKP","d":"SECRET"}']],
    ["usage", ["--unknown"]],
    ["usage", ["SECRET"]],
    ["key_invalid", ["--key", "agent.pub.jwk"]],
    ["file_malformed", ["--key", "secret.txt"]],
    ["file_malformed", ["--args", "{"]],
    ["file_malformed", ["--args", "list.json"]],
    ["file_unreadable", ["--args", "@no-such.json"]],
    ["file_unreadable", ["--chain", "no-such.json"]],
  ])("says %s of %j, with exit code 2, no stack and no secret", async (code, options) => {
    await session.write("secret.txt", "SECRET");
    await session.write("list.json", "[1]");
    const ran = await session.run([...PROVE, ...CALL, "--args", "{}", ...options]);
    expect(ran).toMatchObject({ exitCode: 2, out: "" });
    expect(ran.err.slice(0, code.length + 7)).toBe(`error[${code}]`);
    expect(ran.err).not.toMatch(/^\s+at |SECRET/m);
  });

  test.each([
    ["envelope_malformed", ["--chain", "agent.pub.jwk"]],
    ["envelope_malformed", ["--chain", "garbage.json"]],
    ["argument_not_allowed", ["--args", '{"id": 9007199254740993}']],
    ["argument_not_allowed", ["--args", '{"__proto__": 1}']],
  ])("refuses (%s) %j", async (code, options) => {
    await session.write("garbage.json", { aat_chain: ["a.b.c"] });
    const ran = await session.run([...PROVE, ...CALL, "--args", "{}", ...options]);
    expect(ran).toMatchObject({ exitCode: 1, out: "" });
    expect(ran.err.slice(0, code.length + 7)).toBe(`error[${code}]`);
  });

  test("needs to be told of which call", async () => {
    const ran = await session.run(["prove"]);
    expect(ran).toMatchObject({ exitCode: 2, out: "" });
    expect(ran.err).toMatch(/^error\[usage\]: .*\nrun `ambit prove --help` for help\n$/);
  });

  test("helps, with an example", async () => {
    const help = await session.out("prove", "--help");
    expect(help.slice(help.indexOf("Examples\n"))).toContain("  ambit prove ");
    expect(help).toMatch(/^Exit codes: /m);
  });
});
