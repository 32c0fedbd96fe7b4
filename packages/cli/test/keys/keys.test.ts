import { signingKey, type PrivateJwk } from "@ambit/core/token";
import { stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSession, type Session } from "../fixtures/session.ts";

let session: Session;
beforeEach(async () => {
  session = await openSession();
});
afterEach(() => session.end());

describe("ambit keys new", () => {
  test.each(["Ed25519", "ES256"])("makes a %s key that signs", async (alg) => {
    const { exitCode, out, err } = await session.run(["keys", "new", "--alg", alg]);
    const jwk = JSON.parse(out) as PrivateJwk;
    const key = await signingKey(jwk);
    expect({ exitCode, algorithm: key.public.algorithm }).toEqual({ exitCode: 0, algorithm: alg });
    expect(err).toContain(key.public.thumbprint);
    expect(err).not.toContain(jwk.d);
  });

  test("writes the private key for its owner alone and shows only the public one", async () => {
    const { out, err } = await session.run(["keys", "new", "--out", "new.jwk"]);
    const { d } = JSON.parse(await session.read("new.jwk")) as PrivateJwk;
    expect((await stat(join(session.folder, "new.jwk"))).mode & 0o777).toBe(0o600);
    expect(JSON.parse(out)).not.toHaveProperty("d");
    expect(out + err).not.toContain(d);
    const json = await session.out("keys", "new", "--out", "other.jwk", "--json");
    expect(JSON.parse(json)).toEqual({
      file: "other.jwk",
      alg: "Ed25519",
      public_jwk: expect.not.objectContaining({ d: expect.anything() }),
      thumbprint: expect.any(String),
      thumbprint_uri: expect.stringMatching(/^urn:ietf:params:oauth:jwk-thumbprint:sha-256:/),
    });
  });

  test("overwrites no file and follows no link to one", async () => {
    const before = await session.read("agent.jwk");
    await symlink(join(session.folder, "elsewhere.jwk"), join(session.folder, "link.jwk"));
    for (const file of ["agent.jwk", "link.jwk"]) {
      const ran = await session.run(["keys", "new", "--out", file]);
      expect(ran).toMatchObject({ exitCode: 2, out: "", err: expect.stringMatching(/^error\[file_exists\]/) });
    }
    expect(await session.read("agent.jwk")).toBe(before);
    await expect(session.read("elsewhere.jwk")).rejects.toMatchObject({ code: "ENOENT" });
  });

  test.each([[["keys"]], [["keys", "old"]], [["keys", "new", "--alg", "EdDSA"]], [["keys", "new", "--out", ""]], [["keys", "new", "x"]]])(
    "answers %j with exit code 2",
    async (args) => {
      expect(await session.run(args)).toMatchObject({ exitCode: 2, out: "", err: expect.stringMatching(/^error\[usage\]: /) });
    },
  );
});

describe("a private key", () => {
  test("is never taken from the command line, and no message quotes one", async () => {
    const secret = await session.read("issuer.jwk");
    const { d, x } = JSON.parse(secret) as PrivateJwk;
    await session.write("broken.jwk", secret.slice(0, -3));
    await session.write("bare.jwk", `x${d}`);
    await session.write("mixed.jwk", { ...(JSON.parse(await session.read("next.jwk")) as object), d });
    await session.write("odd.jwk", { kty: "OKP", crv: "Ed25519", x, d: { d } });
    for (const [key, code] of [
      [secret, "usage"],
      ["broken.jwk", "file_malformed"],
      ["bare.jwk", "file_malformed"],
      ["mixed.jwk", "key_invalid"],
      ["odd.jwk", "key_invalid"],
      ["issuer.pub.jwk", "key_invalid"],
      ["envelope.json", "key_invalid"],
      ["no-such.jwk", "file_unreadable"],
    ] as const) {
      const ran = await session.mint("--key", key);
      expect(ran).toMatchObject({ exitCode: 2, out: "" });
      expect(ran.err.slice(0, code.length + 7)).toBe(`error[${code}]`);
      expect(ran.err).not.toContain(d.slice(0, 8));
    }
    const ran = await session.run(["mint", secret, "--key", "issuer.jwk"]);
    expect(ran.exitCode).toBe(2);
    expect(ran.err).not.toContain(d);
  });

  test("is refused where a public one belongs", async () => {
    const ran = await session.mint("--holder", "agent.jwk");
    expect(ran).toMatchObject({ exitCode: 2, out: "", err: expect.stringMatching(/^error\[key_invalid\]/) });
  });

  test("can come from stdin", async () => {
    expect((await session.run(mintFromStdin(), { stdin: await session.read("issuer.jwk") })).exitCode).toBe(0);
  });

  test("shares stdin with nothing", async () => {
    const ran = await session.run([...mintFromStdin(), "--envelope", "-"], { stdin: await session.read("envelope.json") });
    expect(ran).toMatchObject({ exitCode: 2, out: "", err: expect.stringMatching(/^error\[usage\]/) });
  });
});

function mintFromStdin(): readonly string[] {
  return [
    ...["mint", "--envelope", "envelope.json", "--expires-in", "1m", "--key", "-", "--issuer", "https://i.example"],
    ...["--holder", "agent.pub.jwk", "--audience", "https://v.example", "--config", "ambit.config.json"],
  ];
}
