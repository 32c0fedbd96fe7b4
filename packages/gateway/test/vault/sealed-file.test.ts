import { spawnSync } from "node:child_process";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sealedFile, type KeyWrapper, type SecretName } from "@ambit/gateway/vault";
import { bytes, CRM, errorsOf, UNAVAILABLE, valueOf, vaultFolder, type VaultFolder } from "../support/vault-folder.ts";

let there: VaultFolder;
beforeEach(async () => {
  there = await vaultFolder();
});
afterEach(() => there[Symbol.asyncDispose]());

describe("a vault in a file", () => {
  test("gives out what was put in, also to another process", async () => {
    expect(await there.open({ now: () => 1000 }).set(CRM, bytes("hunter2"))).toEqual({ ...CRM, version: 1, setAt: 1000 });
    const lease = await there.open().lease(CRM);
    expect([Buffer.from(lease.value).toString(), lease.version, lease.expiresAt]).toEqual(["hunter2", 1, undefined]);
    await lease[Symbol.asyncDispose]();
  });

  test("is one file for its owner alone, in which neither names nor values can be read", async () => {
    await there.open().set(CRM, bytes("hunter2-hunter2"));
    const text = await readFile(there.path, "latin1");
    const readable = text.split(".").map((part) => Buffer.from(part, "base64url").toString("latin1"));
    for (const secret of ["hunter2", CRM.tenant, CRM.id]) expect([text, ...readable].join(" ")).not.toContain(secret);
    for (const file of ["vault", "vault.lock"]) expect((await stat(join(there.folder, file))).mode & 0o777).toBe(0o600);
    expect(await readdir(there.folder)).not.toContain("vault.tmp");
  });

  test("zeros what it gave out, and shows it to nobody who prints or copies the lease", async () => {
    await there.open().set(CRM, bytes("hunter2"));
    const lease = await there.open().lease(CRM);
    for (const text of [JSON.stringify(lease), inspect(lease), JSON.stringify({ ...lease })]) {
      expect(text).not.toContain("hunter2");
      expect(text).not.toContain("104"); // "h"
    }
    await lease[Symbol.asyncDispose]();
    await lease[Symbol.asyncDispose]();
    expect([...lease.value]).toEqual(Array.from({ length: 7 }, () => 0));
    expect(await valueOf(there.open())).toBe("hunter2");
  });

  test("replaces a value, and gives no two values the same version", async () => {
    const vault = there.open();
    await vault.set(CRM, bytes("one"));
    const { version } = await vault.set(CRM, bytes("two"));
    expect(await valueOf(vault)).toBe("two");
    await expect(vault.lease(CRM, { version: 1 })).rejects.toMatchObject(UNAVAILABLE);
    await (await vault.lease(CRM, { version }))[Symbol.asyncDispose]();
    expect(await vault.remove(CRM)).toBe(true);
    expect((await vault.set(CRM, bytes("three"))).version).toBeGreaterThan(version);
  });

  test("lists what is in it, without values, and removes", async () => {
    const vault = there.open({ now: () => 5 });
    const other = { ...CRM, connector: "mail" };
    await vault.set(CRM, bytes("hunter2"));
    await vault.set(other, bytes("hunter3"));
    expect(await vault.list()).toEqual({
      version: 2,
      secrets: [
        { ...CRM, version: 1, setAt: 5 },
        { ...other, version: 2, setAt: 5 },
      ],
    });
    expect([await vault.remove(CRM), await vault.remove(CRM)]).toEqual([true, false]);
    await expect(vault.lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    expect(await valueOf(vault, other)).toBe("hunter3");
  });

  test("sees at once what another one has changed", async () => {
    const [one, other] = [there.open(), there.open()];
    await one.set(CRM, bytes("one"));
    expect(await valueOf(other)).toBe("one");
    await one.set(CRM, bytes("two"));
    expect(await valueOf(other)).toBe("two");
    await other.remove(CRM);
    await expect(one.lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
  });

  test("takes twenty changes at the same time, and loses none", async () => {
    const vaults = [there.open(), there.open()];
    const names = Array.from({ length: 20 }, (_, index) => ({ ...CRM, id: `key_${index}` }));
    await Promise.all(names.map((name, index) => vaults[index % 2]?.set(name, bytes(name.id))));
    expect((await there.open().list()).version).toBe(20);
    for (const name of names) expect(await valueOf(there.open(), name)).toBe(name.id);
  });

  test("seals one secret anew under another data key, and keeps its value and version", async () => {
    const vault = there.open();
    const entry = await vault.set(CRM, bytes("hunter2"));
    expect(await vault.rotateDataKey(CRM)).toEqual(entry);
    expect(await valueOf(there.open())).toBe("hunter2");
    await expect(vault.rotateDataKey({ ...CRM, id: "other" })).rejects.toMatchObject(UNAVAILABLE);
    expect((await vault.list()).version).toBe(2);
  });

  test("gives nothing after the deadline, and zeros what comes then", async () => {
    await there.open().set(CRM, bytes("hunter2"));
    let answer = (): void => {};
    const given: Uint8Array[] = [];
    const slow: KeyWrapper = {
      ...there.key,
      unwrap: async (wrapped) => {
        await new Promise<void>((resolve) => (answer = resolve));
        const key = await there.key.unwrap(wrapped);
        given.push(key);
        return key;
      },
    };
    await expect(there.open({ key: slow, deadline: 50 }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    const leaving = new AbortController();
    const leased = errorsOf(there.open({ key: slow }).lease(CRM, { signal: leaving.signal }));
    leaving.abort();
    expect(await leased).toEqual([expect.objectContaining(UNAVAILABLE)]);
    answer();
    await expect.poll(() => given.map((key) => key.every((byte) => byte === 0))).toEqual([true]);
  });

  test("gives nothing to whoever has given up", async () => {
    await there.open().set(CRM, bytes("hunter2"));
    await expect(there.open().lease(CRM, { signal: AbortSignal.abort() })).rejects.toMatchObject(UNAVAILABLE);
  });

  test.each([
    ["nothing", 0],
    ["too much", 65_537],
  ])("keeps no value of %s", async (_, length) => {
    await expect(there.open().set(CRM, new Uint8Array(length))).rejects.toMatchObject({ code: "option_invalid" });
    expect(await readdir(there.folder)).toHaveLength(1);
  });

  test("keeps any bytes, of up to 64 KiB", async () => {
    const value = Uint8Array.from({ length: 65_536 }, (_, index) => index % 256);
    await there.open().set(CRM, value);
    const lease = await there.open().lease(CRM);
    expect(Buffer.from(lease.value).equals(value)).toBe(true);
    expect(value[255]).toBe(255); // what it was given is not its to zero
  });
});

describe("a vault that is not there, or not the latest", () => {
  test("gives nothing", async () => {
    await expect(there.open().lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    await expect(sealedFile({ path: there.folder, key: there.key }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    if (process.platform !== "win32") spawnSync("mkfifo", [join(there.folder, "pipe")]);
    await expect(sealedFile({ path: join(there.folder, "pipe"), key: there.key }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    await expect(sealedFile({ path: join(there.folder, "no", "vault"), key: there.key }).set(CRM, bytes("x"))).rejects.toMatchObject(UNAVAILABLE);
  });

  test("is refused as soon as somebody puts an older one back, and taken again with the newer one", async () => {
    const vault = there.open();
    await vault.set(CRM, bytes("old"));
    const old = await readFile(there.path);
    await vault.set(CRM, bytes("new"));
    const latest = await readFile(there.path);
    await writeFile(there.path, old);
    await expect(vault.lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    await expect(vault.set(CRM, bytes("newer"))).rejects.toMatchObject(UNAVAILABLE);
    await rm(there.path);
    await expect(vault.lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    await writeFile(there.path, latest);
    expect(await valueOf(vault)).toBe("new");
  });

  test("is refused when it went another way since", async () => {
    const vault = there.open();
    await vault.set(CRM, bytes("old"));
    const old = await readFile(there.path);
    await vault.set(CRM, bytes("new"));
    await writeFile(there.path, old);
    await there.open().set(CRM, bytes("fork")); // version 2 again
    await expect(vault.lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
  });

  test("is refused below the version that is known from elsewhere", async () => {
    await there.open().set(CRM, bytes("old"));
    await expect(there.open({ minimumVersion: 2 }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    await expect(there.open({ minimumVersion: 2 }).set(CRM, bytes("new"))).rejects.toMatchObject(UNAVAILABLE);
    expect(await valueOf(there.open({ minimumVersion: 1 }))).toBe("old");
    await rm(there.path);
    await expect(there.open({ minimumVersion: 1 }).set(CRM, bytes("new"))).rejects.toMatchObject(UNAVAILABLE);
    for (const minimumVersion of [Number.NaN, -1, 1.5, Infinity])
      expect(() => there.open({ minimumVersion })).toThrow(expect.objectContaining({ code: "option_invalid" }));
  });
});

/** Visible ASCII is a name whatever it says; everything else is none. */
const NAMES = ["__proto__", "constructor", "toString", "a", "A", "a/b", "a/", "..", "%2e", "tenant_acme", "~", "!", '"', "\\", "x".repeat(256)];
const NO_NAMES = ["", " ", "a b", "a\0", "\ud800", "é", "a\u0301", "\u202e", "x".repeat(257), null, undefined, 1, Number.NaN, {}, ["a"]] as readonly string[];

describe("names", () => {
  test("are compared part by part and exactly, whatever they say", async () => {
    const part = fc.constantFrom(...NAMES);
    const name = fc.record({ tenant: part, connector: part, id: part });
    const change = fc.record({ name, kind: fc.constantFrom("set", "set", "remove", "rotate") });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), fc.array(name, { maxLength: 5 }), async (changes, others) => {
        await using folder = await vaultFolder();
        const vault = folder.open();
        const expected = new Map<string, string>();
        const keyOf = ({ tenant, connector, id }: SecretName): string => JSON.stringify([tenant, connector, id]);
        for (const [index, { name: changed, kind }] of changes.entries()) {
          if (kind === "set") {
            await vault.set(changed, bytes(`value ${index}`));
            expected.set(keyOf(changed), `value ${index}`);
          } else if (kind === "remove") expect(await vault.remove(changed)).toBe(expected.delete(keyOf(changed)));
          else if (expected.has(keyOf(changed))) await vault.rotateDataKey(changed);
          else await expect(vault.rotateDataKey(changed)).rejects.toMatchObject(UNAVAILABLE);
        }
        for (const asked of [...changes.map((one) => one.name), ...others]) {
          const value = expected.get(keyOf(asked));
          if (value === undefined) await expect(folder.open().lease(asked)).rejects.toMatchObject(UNAVAILABLE);
          else expect(await valueOf(folder.open(), asked)).toBe(value);
        }
        expect((await vault.list()).secrets.map(keyOf).sort()).toEqual([...expected.keys()].sort());
      }),
      { numRuns: 25 },
    );
  });

  test.each(NO_NAMES.flatMap((bad) => (["tenant", "connector", "id"] as const).map((part) => [part, bad] as const)))("refuse the %s %j", async (part, bad) => {
    const [name, vault] = [{ ...CRM, [part]: bad }, there.open()];
    for (const error of await errorsOf(vault.set(name, bytes("x")), vault.remove(name), vault.rotateDataKey(name)))
      expect(error).toMatchObject({ code: "option_invalid" });
    await expect(vault.lease(name)).rejects.toMatchObject(UNAVAILABLE);
  });
});
