import { spawnSync } from "node:child_process";
import { chmod, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eitherKey, keyFile, keyProgram, passphrase, sealedFile, type KeyWrapper } from "@ambit/gateway/vault";
import { boundOf, seal } from "../../src/vault/seal.ts";
import { bytes, CRM, UNAVAILABLE, valueOf, vaultFolder, type VaultFolder } from "../support/vault-folder.ts";

let there: VaultFolder;
beforeEach(async () => {
  there = await vaultFolder();
});
afterEach(() => there[Symbol.asyncDispose]());

const CHEAP = { cost: 14 };
const secret = bytes("correct horse battery staple");
const data = new Uint8Array(32).fill(1);

describe("a key file", () => {
  test.each([0o644, 0o640, 0o604, 0o620, 0o602, 0o610])("is refused with mode %o", async (mode) => {
    await there.open().set(CRM, bytes("hunter2"));
    await chmod(there.keyPath, mode);
    await expect(there.open({ key: keyFile(there.keyPath) }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
  });

  test.each([0o600, 0o400])("is taken with mode %o, and through a link", async (mode) => {
    await there.open().set(CRM, bytes("hunter2"));
    await chmod(there.keyPath, mode);
    await symlink(there.keyPath, join(there.folder, "link"));
    expect(await valueOf(there.open({ key: keyFile(join(there.folder, "link")) }))).toBe("hunter2");
  });

  test.each([
    "",
    "hunter2",
    "A".repeat(42),
    "A".repeat(44),
    `${"A".repeat(42)}B`,
    `${"A".repeat(42)}=`,
    `${"A".repeat(42)}/`,
    `${"A".repeat(43)}\n\n`,
    "A".repeat(1000),
  ])("is refused with the text %j, which no message quotes", async (text) => {
    const path = join(there.folder, "odd.key");
    await writeFile(path, text, { mode: 0o600 });
    const error: unknown = await there
      .open({ key: keyFile(path) })
      .set(CRM, bytes("hunter2"))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(UNAVAILABLE);
    if (text.length > 6) expect(inspect(error, { depth: 9 })).not.toContain(text.slice(0, 8));
  });

  test.skipIf(process.platform === "win32")("that is no file is refused without waiting for it", async () => {
    expect(spawnSync("mkfifo", ["-m", "600", join(there.folder, "pipe")]).status).toBe(0);
    for (const path of ["pipe", "missing", "."]) await expect(keyFile(join(there.folder, path)).wrap(data)).rejects.toThrow(/./);
  });

  test("that was missing is read when it is there, without a restart", async () => {
    await there.open().set(CRM, bytes("hunter2"));
    const [later, vault] = [join(there.folder, "later.key"), there.open({ key: keyFile(join(there.folder, "later.key")) })];
    await expect(vault.lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    await writeFile(later, await readFile(there.keyPath), { mode: 0o600 });
    expect(await valueOf(vault)).toBe("hunter2");
  });
});

describe("a program that prints the key", () => {
  const printing = (script: string): KeyWrapper => keyProgram(process.execPath, ["-e", script]);

  test("opens what the same key in a file has sealed", async () => {
    await there.open().set(CRM, bytes("hunter2"));
    const key = keyProgram(process.execPath, ["-e", "process.stdout.write(require('fs').readFileSync(process.argv[1]))", there.keyPath]);
    expect(await valueOf(there.open({ key }))).toBe("hunter2");
  });

  test("is refused when it fails, says too much or nothing, or is not there, and nothing it said is told", async () => {
    for (const key of [
      printing(`process.stdout.write("${"A".repeat(43)}"); process.exitCode = 1`),
      printing(`process.stdout.write("swordfish"); process.stderr.write("swordfish")`),
      printing(`process.stdout.write("swordfish ".repeat(10_000))`),
      printing(""),
      keyProgram("no-such-program-anywhere", ["swordfish"]),
    ]) {
      const error: unknown = await there
        .open({ key })
        .set(CRM, bytes("hunter2"))
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject(UNAVAILABLE);
      expect(inspect(error, { depth: 9 })).not.toContain("swordfish");
    }
  });
});

describe("a passphrase", () => {
  test("opens what it has sealed, also at another cost than the one it would take itself, and another one does not", async () => {
    await there.open({ key: passphrase(secret, { cost: 15 }) }).set(CRM, bytes("hunter2"));
    expect(await valueOf(there.open({ key: passphrase(secret, CHEAP) }))).toBe("hunter2");
    await expect(there.open({ key: passphrase(bytes("correct horse battery stapl3"), CHEAP) }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
  });

  test("stores how its key was derived, and derives it once for all secrets of a vault", async () => {
    const key = passphrase(secret, CHEAP);
    const wrapped = [await key.wrap(data), await key.wrap(data)].map(boundOf);
    expect(wrapped[0]).toEqual({ kind: "scrypt", cost: 14, salt: expect.stringMatching(/^[\w-]{22}$/) });
    expect(wrapped[1]).toEqual(wrapped[0]);
    expect(boundOf(await passphrase(secret, CHEAP).wrap(data))).not.toEqual(wrapped[0]);
    const again = passphrase(secret, CHEAP);
    await again.unwrap(await key.wrap(data));
    expect(boundOf(await again.wrap(data))).toEqual(wrapped[0]);
  });

  test("raises the cost of what it wraps to its own", async () => {
    const dearer = passphrase(secret, { cost: 15 });
    await dearer.unwrap(await passphrase(secret, CHEAP).wrap(data));
    expect(boundOf(await dearer.wrap(data))).toMatchObject({ cost: 15 });
  });

  test.each([
    ["a cost beyond all memory", { kind: "scrypt", cost: 30, salt: "A".repeat(22) }],
    ["a cost just beyond", { kind: "scrypt", cost: 19, salt: "A".repeat(22) }],
    ["a cost below", { kind: "scrypt", cost: 13, salt: "A".repeat(22) }],
    ["a cost that is none", { kind: "scrypt", cost: "15", salt: "A".repeat(22) }],
    ["no salt", { kind: "scrypt", cost: 14, salt: "" }],
    ["another derivation", { kind: "key", cost: 14, salt: "A".repeat(22) }],
  ])("does not even try %s", async (_, bound) => {
    await expect(passphrase(secret, CHEAP).unwrap(await seal(data, new Uint8Array(32), bound))).rejects.toThrow("no passphrase has wrapped it");
  });

  test("has at least 12 bytes and a cost within bounds", () => {
    const refused = expect.objectContaining({ code: "option_invalid" });
    expect(() => passphrase(bytes("hunter2"))).toThrow(refused);
    for (const cost of [13, 19, 14.5, Number.NaN, Infinity]) expect(() => passphrase(secret, { cost })).toThrow(refused);
  });
});

describe("the rotation of a key", () => {
  test("leaves the values as they are, and opens nothing with the former key", async () => {
    const former = there.open();
    const names = ["a", "b", "c"].map((id) => ({ ...CRM, id }));
    for (const name of names) await former.set(name, bytes(name.id));
    const listed = (await former.list()).secrets;
    const next = keyFile(await there.newKey());
    await former.rotateKey(next);
    for (const vault of [former, there.open({ key: next })]) {
      expect((await vault.list()).secrets).toEqual(listed);
      for (const name of names) expect(await valueOf(vault, name)).toBe(name.id);
    }
    await expect(there.open().lease({ ...CRM, id: "a" })).rejects.toMatchObject(UNAVAILABLE);
    await former.set(CRM, bytes("after"));
    expect(await valueOf(there.open({ key: next }))).toBe("after");
  });

  test("goes from any kind of key to any other", async () => {
    const file = keyFile(there.keyPath);
    const program = keyProgram("cat", [await there.newKey()]);
    const phrase = passphrase(secret, CHEAP);
    await there.open({ key: file }).set(CRM, bytes("hunter2"));
    for (const [from, to] of [
      [file, phrase],
      [phrase, program],
      [program, file],
    ] as const) {
      await there.open({ key: from }).rotateKey(to);
      expect(await valueOf(there.open({ key: to }))).toBe("hunter2");
    }
  });

  test("goes on under a process that knows both keys", async () => {
    const [former, next] = [there.key, keyFile(await there.newKey())];
    const [running, operator] = [there.open({ key: eitherKey(next, former) }), there.open()];
    await operator.set(CRM, bytes("hunter2"));
    expect(await valueOf(running)).toBe("hunter2");
    await operator.rotateKey(next);
    expect(await valueOf(running)).toBe("hunter2");
    await running.set(CRM, bytes("hunter3"));
    expect(await valueOf(there.open({ key: next }))).toBe("hunter3");
  });

  test.each([
    ["cannot wrap", { wrap: async () => Promise.reject(new Error("the service says no")) }],
    ["cannot open what it wrapped", { unwrap: async () => Promise.reject(new Error("the service says no")) }],
    ["opens it as something else", { unwrap: async () => new Uint8Array(32) }],
    ["opens it as too little", { unwrap: async () => new Uint8Array(31) }],
    ["wraps in a text that no file holds", { wrap: async () => "two words" }],
  ])("to a key that %s leaves everything as it was", async (_, broken) => {
    await there.open().set(CRM, bytes("hunter2"));
    const before = await readFile(there.path);
    const vault = there.open();
    await expect(vault.rotateKey({ ...keyFile(await there.newKey()), ...broken })).rejects.toMatchObject(UNAVAILABLE);
    expect((await readFile(there.path)).equals(before)).toBe(true);
    expect(await valueOf(vault)).toBe("hunter2");
  });
});

test("a key that opens one secret wrongly, and everything else, gets none", async () => {
  await there.open().set(CRM, bytes("hunter2"));
  const next = keyFile(await there.newKey());
  let unwrapped = 0;
  const key = { wrap: next.wrap, unwrap: async (wrapped: string) => (unwrapped++ === 0 ? new Uint8Array(32) : next.unwrap(wrapped)) };
  await expect(there.open().rotateKey(key)).rejects.toMatchObject(UNAVAILABLE);
  expect(await valueOf(there.open())).toBe("hunter2");
});

test("a key that cannot open the list does not get it, even when it is empty", async () => {
  await there.open().set(CRM, bytes("hunter2"));
  await there.open().remove(CRM);
  const key = { ...keyFile(await there.newKey()), unwrap: async () => new Uint8Array(32) };
  await expect(there.open().rotateKey(key)).rejects.toMatchObject(UNAVAILABLE);
  expect((await there.open().list()).version).toBe(2);
});

test("a key management service is two functions, and no key that it was given or gave out is left behind", async () => {
  const keys: Uint8Array[] = [];
  const inService = keyFile(there.keyPath);
  const key: KeyWrapper = {
    wrap: async (bare) => {
      expect(bare.some((byte) => byte !== 0)).toBe(true);
      keys.push(bare);
      return inService.wrap(bare);
    },
    unwrap: async (wrapped) => {
      const bare = await inService.unwrap(wrapped);
      keys.push(bare);
      return bare;
    },
  };
  await sealedFile({ path: there.path, key }).set(CRM, bytes("hunter2"));
  expect(keys).toHaveLength(2);
  expect(await valueOf(sealedFile({ path: there.path, key }))).toBe("hunter2");
  await sealedFile({ path: there.path, key }).rotateDataKey(CRM);
  await sealedFile({ path: there.path, key }).rotateKey(keyFile(await there.newKey()));
  expect(keys.length).toBeGreaterThan(8);
  for (const used of keys) expect(used.every((byte) => byte === 0)).toBe(true);
});
