import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keyFile, type SealedFile } from "@ambit/gateway/vault";
import { bytes, CRM, UNAVAILABLE, valueOf, vaultFolder, type VaultFolder } from "../support/vault-folder.ts";

const PROGRAM = fileURLToPath(new URL("../support/vault-process.ts", import.meta.url));
const FLAGS = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

let there: VaultFolder;
beforeEach(async () => {
  there = await vaultFolder();
});
afterEach(() => there[Symbol.asyncDispose]());

interface Ended {
  readonly points: readonly string[];
  readonly isKilled: boolean;
}

async function run(action: string, argument: string, killBefore = 0): Promise<Ended> {
  const child = spawn(process.execPath, [...FLAGS, PROGRAM, there.path, there.keyPath, action, argument], {
    env: { ...process.env, KILL_BEFORE: String(killBefore) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "close");
  let text = "";
  for await (const chunk of child.stdout) text += String(chunk);
  const [code, signal] = (await exit) as [number | null, string | null];
  expect([code, signal]).toEqual(killBefore === 0 ? [0, null] : [null, "SIGKILL"]);
  return { points: text.trimEnd().split("\n"), isKilled: signal === "SIGKILL" };
}

/** What is there now, by whichever of the two keys opens it: exactly one of them does. */
async function stateNow(nextKey: string): Promise<{ readonly values: readonly string[]; readonly vault: SealedFile }> {
  const found: { readonly values: readonly string[]; readonly vault: SealedFile }[] = [];
  for (const key of [there.key, keyFile(nextKey)]) {
    const vault = there.open({ key });
    const listed = await vault.list().catch(() => undefined);
    if (listed === undefined) continue;
    found.push({ vault, values: await Promise.all(listed.secrets.map(async (name) => `${name.id}=${await valueOf(vault, name)}`)) });
  }
  expect(found).toHaveLength(1);
  return found[0] as (typeof found)[number];
}

const OTHER = { ...CRM, id: "other" };

describe.each([
  ["set", ["other=kept", "api_key=old"], ["other=kept", "api_key=new"]],
  ["rotate-data-key", ["other=kept", "api_key=old"], ["other=kept", "api_key=old"]],
  ["rotate-key", ["other=kept", "api_key=old"], ["other=kept", "api_key=old"]],
])("a process that is killed during `%s`", (action, before, after) => {
  test("leaves the old or the new, at whichever point that is, and whoever comes next goes on", { timeout: 120_000 }, async () => {
    const nextKey = await there.newKey();
    await there.open().set(OTHER, bytes("kept"));
    await there.open().set(CRM, bytes("old"));
    const start = await readFile(there.path);
    const { points } = await run(action, nextKey);
    expect(points.map((point) => point.replace(/^\d+ /, ""))).toEqual(expect.arrayContaining(["remove", "write", "write the rest", "sync", "rename", "end"]));
    expect((await stateNow(nextKey)).values).toEqual(after);

    const renamed = points.findIndex((point) => point.includes("rename")) + 1;
    const first = points.findIndex((point) => point.includes("remove"));
    const leftovers: string[] = [];
    for (let point = first; point <= points.length; point++) {
      await writeFile(there.path, start);
      await run(action, nextKey, point);
      leftovers.push(...(await readdir(there.folder)).filter((file) => file === "vault.tmp"));
      const { values, vault } = await stateNow(nextKey);
      expect(values, points[point - 1]).toEqual(point <= renamed ? before : after);
      await vault.set(CRM, bytes("next"));
      expect(await valueOf(vault)).toBe("next");
      expect(await readdir(there.folder)).not.toContain("vault.tmp");
    }
    expect(leftovers.length).toBeGreaterThan(3); // it really was killed in the middle
  });
});

test("two processes that change a vault at the same time lose nothing, and whoever reads meanwhile always finds a whole one", { timeout: 60_000 }, async () => {
  await there.open().set(CRM, bytes("kept"));
  const ended = new AbortController();
  const writing = Promise.all(["one", "two"].map((name) => run("set-many", name))).finally(() => ended.abort());
  const reader = there.open();
  let reads = 0;
  for (; !ended.signal.aborted; reads++) {
    expect(await valueOf(reader)).toBe("kept");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await writing;
  expect(reads).toBeGreaterThan(5);
  const { version, secrets } = await there.open().list();
  expect([version, secrets.length, new Set(secrets.map((entry) => entry.version)).size]).toEqual([31, 31, 31]);
  for (const name of ["one", "two"])
    for (let index = 0; index < 15; index++) expect(await valueOf(there.open(), { ...CRM, id: `${name}_${index}` })).toBe(`${name} ${index}`);
});

test("a vault that somebody else keeps locked is not changed, and can be read", { timeout: 30_000 }, async () => {
  await there.open().set(CRM, bytes("old"));
  const { DatabaseSync } = await import("node:sqlite");
  const lock = new DatabaseSync(`${there.path}.lock`);
  lock.exec("BEGIN EXCLUSIVE");
  const changing = there
    .open()
    .set(CRM, bytes("new"))
    .catch((error: unknown) => error);
  expect(await valueOf(there.open())).toBe("old");
  expect(await changing).toMatchObject(UNAVAILABLE);
  lock.close();
  await there.open().set(CRM, bytes("new"));
  expect(await valueOf(there.open())).toBe("new");
});
