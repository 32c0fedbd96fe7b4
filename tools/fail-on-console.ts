// A library that prints is a library that leaks: any use of `console` while a test runs fails that test.
import { afterEach, beforeEach, expect, vi } from "vitest";

const METHODS = ["log", "info", "warn", "error", "debug", "trace"] as const;
let printed: string[] = [];

beforeEach(() => {
  printed = [];
  for (const method of METHODS) {
    vi.spyOn(console, method).mockImplementation((...values: unknown[]) => void printed.push(`console.${method}: ${values.map(String).join(" ")}`));
  }
});

afterEach(() => {
  vi.restoreAllMocks();
  expect(printed, "printed to the console").toEqual([]);
});
