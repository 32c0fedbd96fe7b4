import { spawn, spawnSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { keyFile, sealedFile } from "@ambit/gateway/vault";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSession, type Session } from "../fixtures/session.ts";
import type { Ran } from "../fixtures/terminal.ts";

let session: Session;
beforeEach(async () => {
  session = await openSession();
  await session.out("keys", "secret", "--out", "vault.key");
});
afterEach(() => session.end());

const SECRET = "hunter2-s3cret";
const CRM = { tenant: "tenant_acme", connector: "crm", id: "api_key" };
const NAME = ["--tenant", CRM.tenant, "--connector", CRM.connector, "--id", CRM.id] as const;
const KEY = ["--key-file", "vault.key"] as const;

type Options = Parameters<Session["run"]>[1];
const vault = (args: readonly string[], options?: Options): Promise<Ran> => session.run(["vault", ...args], options);
const set = (stdin: string | Buffer, ...more: readonly string[]): Promise<Ran> => vault(["set", ...NAME, ...(more.length === 0 ? KEY : more)], { stdin });

async function valueOf(key = "vault.key"): Promise<string> {
  const lease = await sealedFile({ path: join(session.folder, "ambit.vault"), key: keyFile(join(session.folder, key)) }).lease(CRM);
  return Buffer.from(lease.value).toString("latin1");
}

describe("ambit vault", () => {
  test("sets what comes from stdin, and tells everything but the value", async () => {
    const ran = await set(`${SECRET}\n`);
    expect(ran).toMatchObject({ exitCode: 0, err: "", out: expect.stringMatching(/^set: tenant_acme {2}crm {2}api_key {2}version 1, set \S+Z\n$/) });
    expect(await valueOf()).toBe(SECRET);
    const listed = await vault(["list", ...KEY]);
    expect(listed).toMatchObject({
      exitCode: 0,
      err: "",
      out: expect.stringMatching(/^version 1 of the vault, one secret\n {2}tenant_acme {2}crm {2}api_key {2}version 1, set \S+Z\n$/),
    });
    const json = await vault(["list", ...KEY, "--json"]);
    expect(JSON.parse(json.out)).toEqual({
      vault_version: 1,
      secrets: [{ tenant_id: "tenant_acme", connector: "crm", id: "api_key", version: 1, set_at: expect.any(String) }],
    });
    for (const { out } of [ran, listed, json]) expect(out).not.toContain(SECRET);
  });

  test.each([
    ["a\n", "a"],
    ["a\r\n", "a"],
    ["a\n\n", "a\n"],
    ["a\r", "a\r"],
    [" a ", " a "],
    ["\n\n", "\n"],
  ])("takes one line break from the end of %j and nothing else", async (stdin, value) => {
    expect((await set(stdin)).exitCode).toBe(0);
    expect(await valueOf()).toBe(value);
  });

  test("keeps bytes that are no text", async () => {
    const bytes = Buffer.from([0, 255, 254, 10, 13, 128]);
    expect((await set(bytes, ...KEY, "--json")).exitCode).toBe(0);
    expect(await valueOf()).toBe(bytes.toString("latin1"));
  });

  test.each([
    ["nothing", ""],
    ["a line break alone", "\n"],
    ["too much", "x".repeat(65_537)],
    ["far too much", "x".repeat(100_000)],
  ])("refuses %s as a value, with exit code 2 and before there is a vault", async (_, stdin) => {
    expect(await set(stdin)).toMatchObject({ exitCode: 2, out: "" });
    expect(await readdir(session.folder)).not.toContain("ambit.vault");
  });

  test("asks for the value where there is a terminal", async () => {
    const questions: string[] = [];
    const askHidden = async (question: string): Promise<Buffer> => (questions.push(question), Buffer.from(SECRET));
    const ran = await vault(["set", ...NAME, ...KEY], { askHidden, stdin: "from stdin" });
    expect([ran.exitCode, questions]).toEqual([0, ["value of api_key: "]]);
    expect(await valueOf()).toBe(SECRET);
  });

  test("removes, once", async () => {
    await set(SECRET);
    expect(await vault(["remove", ...NAME, ...KEY])).toEqual({ exitCode: 0, out: "removed\n", err: "" });
    expect(await vault(["remove", ...NAME, ...KEY])).toMatchObject({ exitCode: 1, out: "", err: expect.stringMatching(/^error\[credential_unavailable\]/) });
    expect((await vault(["list", ...KEY])).out).toBe("version 2 of the vault, 0 secrets\n");
  });

  test("rotates one data key, and the key of all", async () => {
    await set(SECRET);
    expect(await vault(["rotate", ...NAME, ...KEY])).toMatchObject({ exitCode: 0, out: expect.stringMatching(/^sealed anew: tenant_acme .* version 1, /) });
    await session.out("keys", "secret", "--out", "next.key");
    expect(await vault(["rotate", ...KEY, "--new-key-file", "next.key"])).toMatchObject({
      exitCode: 0,
      err: "",
      out: expect.stringMatching(/^version 3 of the vault, one secret\n/),
    });
    expect(await valueOf("next.key")).toBe(SECRET);
    expect(await vault(["list", ...KEY])).toMatchObject({
      exitCode: 1,
      out: "",
      err: expect.stringMatching(/^error\[credential_unavailable\]: the vault does not open/),
    });
  });

  test("takes the key from a program, from a passphrase in a file and from one that is asked for", async () => {
    await set(SECRET, "--key-command", `cat '${join(session.folder, "vault.key")}'`);
    await session.write("phrase", "correct horse battery staple\n");
    expect(await vault(["rotate", ...KEY, "--new-passphrase-file", "phrase"])).toMatchObject({ exitCode: 0 });
    const questions: string[] = [];
    const askHidden = async (question: string): Promise<Buffer> => (questions.push(question), Buffer.from("correct horse battery staple"));
    expect(await vault(["list", "--passphrase"], { askHidden })).toMatchObject({ exitCode: 0 });
    expect(questions).toEqual(["passphrase: "]);
    expect(await vault(["rotate", "--passphrase-file", "phrase", "--new-passphrase"], { askHidden })).toMatchObject({ exitCode: 0 });
    expect(questions.slice(1)).toEqual(["new passphrase: ", "the same again: "]);
  });

  test("takes a new passphrase only when it is the same twice, and an old one without asking again", async () => {
    let asked = 0;
    const askHidden = async (): Promise<Buffer> => Buffer.from(`correct horse battery staple ${asked++}`);
    expect(await vault(["set", ...NAME, "--passphrase"], { askHidden })).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(/^error\[passphrase_mismatch\]/),
    });
    expect(await readdir(session.folder)).not.toContain("ambit.vault");
    expect(await vault(["list", "--passphrase"])).toMatchObject({ exitCode: 2, err: expect.stringMatching(/^error\[usage\]/) });
  });

  test("refuses a key that others can read, a vault that is damaged, and an older copy", async () => {
    await set(SECRET);
    await writeFile(join(session.folder, "open.key"), await session.read("vault.key"), { mode: 0o644 });
    expect(await vault(["list", "--key-file", "open.key"])).toMatchObject({ exitCode: 1, err: expect.stringContaining("mode 0600") });
    expect(await vault(["list", ...KEY, "--minimum-version", "2"])).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(/^error\[credential_unavailable\]/),
    });
    const whole = await readFile(join(session.folder, "ambit.vault"));
    await writeFile(join(session.folder, "ambit.vault"), whole.subarray(1));
    expect(await vault(["list", ...KEY])).toMatchObject({ exitCode: 1, out: "", err: expect.stringMatching(/^error\[credential_unavailable\]/) });
  });

  test.each([
    [["open"]],
    [["set", ...KEY]],
    [["set", ...NAME]],
    [["set", SECRET, ...NAME, ...KEY]],
    [["set", ...NAME, ...KEY, "--value", SECRET]],
    [["set", ...NAME, ...KEY, "--passphrase"]],
    [["set", ...NAME, ...KEY, "--new-key-file", "vault.key"]],
    [["set", "--tenant", "two words", ...NAME.slice(2), ...KEY]],
    [["list", ...NAME, ...KEY]],
    [["list", "--key-file", ""]],
    [["list", "--key-command", "'open"]],
    [["list", ...KEY, "--minimum-version", "-1"]],
    [["list", ...KEY, "--file", ""]],
    [["rotate", ...KEY]],
    [["rotate", ...NAME, ...KEY, "--new-key-file", "vault.key"]],
  ])("answers %j with exit code 2, and quotes no value", async (args) => {
    const ran = await vault(args, { stdin: "x" });
    expect(ran).toMatchObject({ exitCode: 2, out: "", err: expect.stringMatching(/^error\[(?:usage|option_invalid)\]: /) });
    expect(ran.err).not.toContain(SECRET);
  });
});

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const SCRIPT = "script";

describe.skipIf(spawnSync(SCRIPT, ["--version"]).status !== 0)("on a terminal", () => {
  /** Runs a command on a terminal of its own, types `keys` when it asks, and answers with everything that was on the screen. */
  async function typing(keys: string, ...args: readonly string[]): Promise<{ readonly screen: string; readonly exitCode: number | null }> {
    const words = [
      process.execPath,
      "--conditions=@ambit/source",
      "--experimental-strip-types",
      "--disable-warning=ExperimentalWarning",
      MAIN,
      "vault",
      ...args,
    ];
    const child = spawn(SCRIPT, ["-qec", words.map((word) => `'${word}'`).join(" "), "/dev/null"], { cwd: session.folder });
    let screen = "";
    child.stdout.on("data", (chunk) => {
      if (!screen.includes(": ") && `${screen}${String(chunk)}`.includes(": ")) child.stdin.write(keys);
      screen += String(chunk);
    });
    const exitCode = await new Promise<number | null>((resolve) => child.on("close", resolve));
    return { screen, exitCode };
  }

  test("a value is asked for, and what is typed is not shown", { timeout: 30_000 }, async () => {
    const { screen, exitCode } = await typing("hunter2-wrongé\u007f\u007f\u007f\u007f\u007f\u007f-right\r", "set", ...NAME, ...KEY);
    expect(exitCode, screen).toBe(0);
    expect(screen).toContain("value of api_key: ");
    expect(screen).not.toContain("hunter2");
    expect(await valueOf()).toBe("hunter2--right");
  });

  test.each(["\u0003", "\u0004"])("nothing is set when the answer is %j", { timeout: 30_000 }, async (key) => {
    const { screen, exitCode } = await typing(`hunter2${key}`, "set", ...NAME, ...KEY);
    expect([exitCode, screen]).toEqual([1, expect.stringContaining("error[cancelled]")]);
    expect(screen).not.toContain("hunter2");
    expect(await readdir(session.folder)).not.toContain("ambit.vault");
  });
});
