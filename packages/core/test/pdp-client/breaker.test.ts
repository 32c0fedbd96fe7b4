import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBreaker } from "../../src/pdp-client/breaker.ts";

describe("a breaker", () => {
  it("lets everybody through until too many failed in a row, then nobody, then one", () => {
    let time = 0;
    const breaker = createBreaker({ failures: 2, pause: 100, now: () => time });
    const ask = (isGood: boolean): boolean => {
      if (!breaker.mayAsk()) return false;
      (isGood ? breaker.succeeded : breaker.failed)();
      return true;
    };
    expect([ask(false), ask(true), ask(false), ask(false)]).toEqual([true, true, true, true]);
    expect(ask(true)).toBe(false);
    time = 99;
    expect(ask(true)).toBe(false);
    time = 100;
    expect(breaker.mayAsk()).toBe(true);
    expect(breaker.mayAsk()).toBe(false);
    breaker.failed();
    expect(ask(true)).toBe(false);
    time = 200;
    expect([ask(true), ask(true), ask(false), ask(true)]).toEqual([true, true, true, true]);
  });

  it("does not stay closed to everybody for a clock that was set back or is none", () => {
    let time = 1000;
    const breaker = createBreaker({ failures: 1, pause: 100, now: () => time });
    for (const other of [10, Number.NaN]) {
      time = 1000;
      breaker.failed();
      expect(breaker.mayAsk()).toBe(false);
      time = other;
      expect(breaker.mayAsk()).toBe(true);
      breaker.succeeded();
    }
  });

  it("always comes back, whatever happened before", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("ask", "good", "bad", "wait")), (steps) => {
        let time = 0;
        let out = 0;
        const breaker = createBreaker({ failures: 3, pause: 100, now: () => time });
        for (const step of steps) {
          if (step === "wait") time += 50;
          else if (step === "ask") out += breaker.mayAsk() ? 1 : 0;
          else if (out > 0) {
            out--;
            (step === "good" ? breaker.succeeded : breaker.failed)();
          }
        }
        for (; out > 0; out--) breaker.failed();
        time += 100;
        expect(breaker.mayAsk()).toBe(true);
      }),
    );
  });
});
