import { readFile, writeFile } from "node:fs/promises";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keyFile, type SecretName } from "@ambit/gateway/vault";
import { decode, encode } from "../../src/vault/contents.ts";
import type { Row } from "../../src/vault/row.ts";
import { bytes, CRM, errorsOf, UNAVAILABLE, valueOf, vaultFolder, type VaultFolder } from "../support/vault-folder.ts";

let there: VaultFolder;
beforeEach(async () => {
  there = await vaultFolder();
});
afterEach(() => there[Symbol.asyncDispose]());

describe("a file of a vault", () => {
  test("opens nothing when it ends anywhere before its end, or after it", async () => {
    await there.open().set(CRM, bytes("hunter2"));
    const whole = await readFile(there.path);
    for (let length = 0; length < whole.length; length++) {
      await writeFile(there.path, whole.subarray(0, length));
      await expect(there.open().lease(CRM), `cut at ${length}`).rejects.toMatchObject(UNAVAILABLE);
    }
    for (const more of ["\n", "=", "A", ".", "\0"]) {
      await writeFile(there.path, Buffer.concat([whole, Buffer.from(more)]));
      await expect(there.open().lease(CRM), JSON.stringify(more)).rejects.toMatchObject(UNAVAILABLE);
    }
    await writeFile(there.path, whole);
    expect(await valueOf(there.open())).toBe("hunter2");
  });

  // Base64 leaves bits at its end that a decoder may ignore; with three lengths of a value each part ends in each way once.
  test.each(["a", "ab", "abc"])("opens nothing when a bit of any byte of it is another one (%s)", async (value) => {
    await there.open().set(CRM, bytes(value));
    const whole = await readFile(there.path);
    const ends = [...whole.keys(), whole.length].filter((index) => index === whole.length || whole[index] === 0x2e);
    for (let index = 0; index < whole.length; index++) {
      const isAtEnd = ends.some((end) => end - index >= 0 && end - index < 3);
      for (const bit of isAtEnd ? [1, 2, 4, 8, 16, 32, 64, 128] : [1 << (index % 8)]) {
        const text = Buffer.from(whole);
        text[index] = (text[index] as number) ^ bit;
        const opened = await decode(text.toString("latin1"), there.key).catch(() => "refused");
        expect(opened, `byte ${index}, bit ${bit}`).toBe("refused");
      }
    }
    await writeFile(there.path, Buffer.from(whole.toString().replace("e", "f"), "latin1"));
    await expect(there.open().lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
  });

  test("is changed by nobody who cannot open it", async () => {
    await there.open().set(CRM, bytes("hunter2"));
    await writeFile(there.path, "hunter3 is not a vault");
    const vault = there.open();
    for (const error of await errorsOf(vault.set(CRM, bytes("x")), vault.remove(CRM), vault.rotateDataKey(CRM), vault.rotateKey(there.key), vault.list())) {
      expect(error).toMatchObject(UNAVAILABLE);
      expect(inspect(error, { depth: 9 })).not.toContain("hunter");
    }
    expect(await readFile(there.path, "utf8")).toBe("hunter3 is not a vault");
  });

  test("opens nothing with another key", async () => {
    await there.open().set(CRM, bytes("hunter2"));
    const vault = there.open({ key: keyFile(await there.newKey()) });
    for (const error of await errorsOf(vault.lease(CRM), vault.list(), vault.set(CRM, bytes("x")))) expect(error).toMatchObject(UNAVAILABLE);
    expect(await valueOf(there.open())).toBe("hunter2");
  });

  test.each([
    ["another format", { kind: "vault", format: 2 }],
    ["another kind", { kind: "secret", format: 1 }],
    ["no kind", {}],
    ["null", null],
  ])("opens nothing with the header of %s", async (_, ambit) => {
    await there.open().set(CRM, bytes("hunter2"));
    const [header = "", ...rest] = (await readFile(there.path, "latin1")).split(".");
    const parsed = JSON.parse(Buffer.from(header, "base64url").toString()) as { readonly ambit: object };
    const forged = { ...parsed, ambit: ambit === null ? null : { ...parsed.ambit, kind: undefined, ...ambit } };
    await writeFile(there.path, [Buffer.from(JSON.stringify(forged)).toString("base64url"), ...rest].join("."));
    await expect(there.open().lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
  });
});

/** What somebody could do who has the vault's key for the list and not the data keys. */
async function edit(change: (rows: readonly Row[]) => readonly Row[]): Promise<void> {
  const { version, rows } = await decode(await readFile(there.path, "latin1"), there.key);
  await writeFile(there.path, await encode({ version, rows: change(rows) }, there.key));
}

const NAMES: readonly SecretName[] = ["tenant_a", "tenant_b"].flatMap((tenant) =>
  ["crm", "mail"].flatMap((connector) => ["key", "token"].map((id) => ({ tenant, connector, id }))),
);

describe("a row", () => {
  test("opens as no other tenant's, connector's, secret's or version's, with its own data key or the other's", async () => {
    for (const name of NAMES) await there.open().set(name, bytes(Object.values(name).join()));
    const whole = await readFile(there.path);
    const { rows } = await decode(whole.toString("latin1"), there.key);
    let swaps = 0;
    for (const [from, source] of rows.entries()) {
      for (const [to, target] of rows.entries()) {
        if (from === to) continue;
        for (const moved of [{ sealed: source.sealed, wrappedKey: source.wrappedKey }, { sealed: source.sealed }, { wrappedKey: source.wrappedKey }]) {
          await writeFile(there.path, whole);
          await edit((all) => all.map((row, index) => (index === to ? { ...row, ...moved } : row)));
          await expect(there.open().lease(target), `${from} as ${to}`).rejects.toMatchObject(UNAVAILABLE);
          swaps++;
        }
      }
    }
    expect(swaps).toBe(8 * 7 * 3);
  });

  test.each([
    ["tenant", "tenant_b"],
    ["connector", "mail"],
    ["id", "token"],
    ["version", 2],
    ["setAt", 0],
  ] as const)("opens under no other %s", async (part, value) => {
    await there.open({ now: () => 1 }).set({ tenant: "tenant_a", connector: "crm", id: "key" }, bytes("hunter2"));
    await edit((rows) => rows.map((row) => ({ ...row, [part]: value })));
    const [entry] = (await there.open().list()).secrets;
    expect(entry).toMatchObject({ [part]: value });
    await expect(there.open().lease(entry as SecretName)).rejects.toMatchObject(UNAVAILABLE);
    await expect(there.open().rotateDataKey(entry as SecretName)).rejects.toMatchObject(UNAVAILABLE);
  });

  test("of an earlier version opens as none of the later ones", async () => {
    await there.open().set(CRM, bytes("old"));
    const [old] = (await decode(await readFile(there.path, "latin1"), there.key)).rows;
    await there.open().set(CRM, bytes("new"));
    await edit((rows) => rows.map((row) => ({ ...row, sealed: old?.sealed ?? "", wrappedKey: old?.wrappedKey ?? "" })));
    await expect(there.open().lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
  });

  test.each([
    ["no object", "row"],
    ["a name that is none", { ...CRM, tenant: "" }],
    ["a version that is none", { ...CRM, version: 0 }],
    ["no sealed text", { ...CRM, sealed: 1 }],
  ])("that is %s closes the vault", async (_, broken) => {
    await there.open().set(CRM, bytes("hunter2"));
    await edit((rows) => [...rows, ...rows.map((row) => (typeof broken === "string" ? (broken as unknown as Row) : { ...row, ...broken }) as Row)]);
    await expect(there.open().lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
  });
});
