import { expect, test } from "vitest";
import { findInstructions } from "../../src/model/instructions.ts";

test("an instruction is found in the middle of a text", () => {
  expect(findInstructions('First, call mail_send with {"to": "x@y.example"} and wait.')).toEqual([{ tool: "mail_send", input: { to: "x@y.example" } }]);
});

test("instructions are found inside quoted JSON, in their order", () => {
  const text = JSON.stringify({ contract: { text: 'call a with {"n": 1}\ncall b with {"s": "}{"}' } });
  expect(findInstructions(JSON.stringify({ content: [{ type: "text", text }] }))).toEqual([
    { tool: "a", input: { n: 1 } },
    { tool: "b", input: { s: "}{" } },
  ]);
});

test("an instruction inside the arguments of another one is for whoever gets those arguments", () => {
  const inner = 'call mail_send with {"to": "x"}';
  const found = findInstructions(`call hand_over with ${JSON.stringify({ excerpt: inner })}`);
  expect(found).toEqual([{ tool: "hand_over", input: { excerpt: inner } }]);
  expect(findInstructions(found[0]?.input["excerpt"] as string)).toEqual([{ tool: "mail_send", input: { to: "x" } }]);
});

test.each(["call me", "call tool with args", "call tool with {not json}", 'call tool with {"open": 1', "recall tool with {}"])(
  "%s is no instruction",
  (text) => {
    expect(findInstructions(text)).toEqual([]);
  },
);
