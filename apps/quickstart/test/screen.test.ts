import { expect, test } from "vitest";
import { brief, wrapped } from "../src/show/screen.ts";

test("text from a model cannot steer the terminal", () => {
  expect(brief({ to: "a\u001b[2Jb\u202e" }, 80)).toBe("to=a<1b>[2Jb<202e>");
  expect(wrapped("a\u001b[31m b", "  ", 80)).toBe("  a<1b>[31m b");
});

test("long text is wrapped at blanks and arguments are cut to the width", () => {
  expect(wrapped("one two three", "  ", 9)).toBe("  one two\n  three");
  expect(brief({ text: "x".repeat(100) }, 20)).toHaveLength(20);
});
