import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { inferManifest } from "../../src/infer/index.ts";
import { aliasesOf, toolIdOf } from "../../src/infer/tool-ids.ts";

const VECTORS = new URL("../../../../../shared/vectors/hostile/tool-names.json", import.meta.url);

interface Vectors {
  readonly allowed_tools: readonly string[];
  readonly vectors: readonly { readonly name: unknown; readonly allow: boolean; readonly why: string }[];
}

describe("toolIdOf", () => {
  test.each(["contracts.read", "get_user-2", "A", "x".repeat(128), "toString"])("leaves %s as it is", (name) => {
    expect(toolIdOf(name)).toEqual({ id: name });
  });

  test("maps other names of visible ASCII without giving two of them one id", () => {
    const names = ["files/read", "files read", "files:read", "files-2fread/", "a/b-c", "a-2fb/c"];
    const ids = names.map((name) => (toolIdOf(name) as { readonly id: string }).id);
    expect(ids[0]).toBe("files-2fread");
    expect(new Set(ids).size).toBe(names.length);
  });

  test.each([
    ["empty", ""],
    ["no text", null],
    ["a list", ["read"]],
    ["too long", "x".repeat(129)],
    ["too long once mapped", "/".repeat(43)],
    ["a prototype", "__proto__"],
    ["a constructor", "constructor"],
    ["a look-alike", "re\u0430d"],
    ["a space at the end", "read "],
    ["an invisible character", "read\u200d"],
    ["another direction", "\u202eread"],
  ])("refuses a name that is %s", (_, name) => {
    expect(toolIdOf(name)).toHaveProperty("refused");
  });
});

describe("aliasesOf", () => {
  test("gives a name without dots to models", () => {
    expect(aliasesOf(["contracts.read", "list"])).toEqual(
      new Map([
        ["contracts.read", "contracts_read"],
        ["list", "list"],
      ]),
    );
  });

  test("gives nobody the exact name of another tool, nor one name to two", () => {
    expect(aliasesOf(["a.b", "a_b", "c.d_e", "c_d.e"])).toEqual(new Map([["a_b", "a_b"]]));
  });
});

describe("inferManifest", () => {
  test("lets a mapped name give way to the tool whose name it would take", () => {
    const { manifest, leftOut } = inferManifest([{ name: "files/read" }, { name: "files-2fread" }], "disk");
    expect(Object.keys(manifest.tools)).toEqual(["files-2fread"]);
    expect(manifest.tools["files-2fread"]).toMatchObject({ names: [{ name: "files-2fread", server: "disk" }, { name: "files-2fread" }] });
    expect(leftOut).toMatchObject([{ name: "files/read" }]);
  });

  test("leaves out both of two tools with one name", () => {
    const { tools, leftOut } = inferManifest(
      [
        { name: "read", description: "one" },
        { name: "read", description: "two" },
      ],
      "disk",
    );
    expect(tools).toEqual([]);
    expect(leftOut).toHaveLength(2);
  });

  test.skipIf(!existsSync(VECTORS))("gives none of the hostile names the id of the tool that it imitates", () => {
    const { allowed_tools: allowed, vectors } = JSON.parse(readFileSync(VECTORS, "utf8")) as Vectors;
    const judged = vectors
      .map(({ name }) => ({ name, answer: toolIdOf(name) }))
      .map(({ name, answer }) => ({ name, allow: "id" in answer && allowed.includes(answer.id) }));
    expect(judged).toEqual(vectors.map(({ name, allow }) => ({ name, allow })));
    const all = inferManifest(
      vectors.map(({ name }) => ({ name: name as string })),
      "crm",
    );
    expect(all.tools.filter(({ id }) => allowed.includes(id)).map(({ name }) => name)).toEqual(allowed);
    expect(all.tools.length + all.leftOut.length).toBe(vectors.length);
  });
});
