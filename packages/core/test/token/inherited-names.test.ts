import { describe, expect, it } from "vitest";
import { aat, callVerdict, chain, chainVerdict, pop } from "./mint.ts";

// A reader that looks names up carelessly finds these in every object. No published vector has them.
const NAMES = [...Object.getOwnPropertyNames(Object.prototype), "then", "toJSON"];

const EXACT = { constraint_type: "exact", value: "a" };
/** `{ [name]: value }` with a member of its own also for `__proto__`, in text and in data. */
const object = (name: string, value: unknown): object => Object.fromEntries([[name, value]]);
const details = (tools: object): object => ({ authorization_details: [aat(tools as never)] });

const call = (tokens: readonly string[], tool: string, hta: object): Promise<string> =>
  callVerdict(tokens, { proof: pop(tokens, { aat_tool: tool, hta }), use: { tool, argsText: JSON.stringify(hta) } });

describe.each(NAMES)("`%s`", (name) => {
  it("as a tool is called only when a token names it", async () => {
    expect(await call(chain(1, { 0: details({ other: {} }) }), name, {})).toBe("tool_not_allowed 6b 0");
    expect(await call(chain(1, { 0: details({}) }), name, {})).toBe("tool_not_allowed 6b 0");
    expect(await call(chain(1, { 0: details(object(name, {})) }), name, {})).toBe("permitted");
  });

  it("as a tool is handed on only when the parent names it", async () => {
    const own = object(name, {});
    expect(await chainVerdict(chain(2, { 0: details({ other: {} }), 1: details(own) }))).toBe("not_narrower 4p1 1");
    expect(await call(chain(2, { 0: details(own), 1: details(own) }), name, {})).toBe("permitted");
  });

  it("as an argument is let through only when the map names it or has `*`", async () => {
    const named = chain(1, { 0: details({ t: object(name, EXACT) }) });
    expect(await call(chain(1, { 0: details({ t: { x: EXACT } }) }), "t", { x: "a", ...object("y", 1) })).toBe("argument_not_allowed 6b 0");
    expect(
      await call(
        chain(1, { 0: details({ t: { x: EXACT } }) }),
        "t",
        Object.fromEntries([
          ["x", "a"],
          [name, "a"],
        ]),
      ),
    ).toBe("argument_not_allowed 6b 0");
    expect(await call(named, "t", {})).toBe("argument_not_allowed 6b 0");
    expect(await call(named, "t", object(name, "b"))).toBe("argument_not_allowed 6b 0");
    expect(await call(named, "t", object(name, "a"))).toBe("permitted");
  });

  it("as an argument is narrowed only below one that the parent names", async () => {
    const own = { t: object(name, EXACT) };
    expect(
      await chainVerdict(
        chain(2, {
          0: details({ t: { x: EXACT } }),
          1: details({
            t: Object.fromEntries([
              ["x", EXACT],
              [name, EXACT],
            ]),
          }),
        }),
      ),
    ).toBe("not_narrower 4p2 1");
    expect(await chainVerdict(chain(2, { 0: details(own), 1: details({ t: { x: EXACT } }) }))).toBe("not_narrower 4p2 1");
    expect(await chainVerdict(chain(2, { 0: details(own), 1: details({ t: object(name, { ...EXACT, value: "b" }) }) }))).toBe("not_narrower 4p4 1");
    expect(await chainVerdict(chain(2, { 0: details(own), 1: details(own) }))).toBe("permitted");
  });

  it("is no type of constraint and no member of one", async () => {
    expect(await chainVerdict(chain(1, { 0: details({ t: { x: { constraint_type: name } } }) }))).toBe("envelope_malformed 3n 0");
    expect(
      await chainVerdict(
        chain(1, {
          0: details({
            t: {
              x: Object.fromEntries([
                ["constraint_type", "wildcard"],
                [name, 1],
              ]),
            },
          }),
        }),
      ),
    ).toBe("envelope_malformed 3n 0");
  });

  it("deep in an argument compares as what it is", async () => {
    const deep = chain(1, { 0: details({ t: { x: { constraint_type: "one_of", values: [object(name, 1)] } } }) });
    expect(await call(deep, "t", { x: {} })).toBe("argument_not_allowed 6b 0");
    expect(await call(deep, "t", { x: object(name, 2) })).toBe("argument_not_allowed 6b 0");
    expect(await call(deep, "t", { x: object(name, 1) })).toBe("permitted");
  });
});

it.each(Object.getOwnPropertyNames(Object.prototype))("a claim or header called `%s` is refused", async (name) => {
  expect(await chainVerdict(chain(1, { 0: object(name, { polluted: true }) }))).toBe("envelope_malformed 3b 0");
});
