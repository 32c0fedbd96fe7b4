import { describe, expect, it } from "vitest";
import { createAmbient as onNode } from "../../src/pep/ambient-node.ts";
import { createAmbient as onWeb } from "../../src/pep/ambient-web.ts";

describe("what work runs within", () => {
  it("is known in all that it awaits, and nowhere else", async () => {
    const ambient = onNode<string>();
    const seen = await ambient.run("outer", async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return [ambient.get(), ambient.run("inner", () => ambient.get()), ambient.get()];
    });
    expect([...seen, ambient.get()]).toEqual(["outer", "inner", "outer", undefined]);
  });

  it("is known to nobody where the platform cannot tell", () => {
    const ambient = onWeb<string>();
    expect([ambient.run("outer", () => ambient.get()), ambient.get()]).toEqual([undefined, undefined]);
  });
});
