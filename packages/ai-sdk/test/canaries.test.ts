import { tracingChannel } from "node:diagnostics_channel";
import { inspect } from "node:util";
import { createWorld } from "@ambit/conformance";
import { AI_SDK_TELEMETRY_TRACING_CHANNEL } from "ai";
import { describe, expect, test } from "vitest";
import { protect } from "../src/index.ts";
import { harnessOf } from "./support/harness.ts";
import { named } from "./support/sdks.ts";

const everything = (value: unknown): string =>
  inspect(value, { depth: Infinity, showHidden: true, maxStringLength: Infinity, maxArrayLength: Infinity, breakLength: Infinity });

describe.each(named)("nothing that is secret is seen in %s", (_, sdk) => {
  test.each([
    ["handles", false],
    ["handles", true],
    ["signed envelopes", false],
    ["signed envelopes", true],
  ] as const)(
    "with %s, streamed: %s: of a call, a pause, its return and a hand-off, in messages, parts, spans, callbacks and channels",
    async (holding, isStreamed) => {
      const world = await createWorld({ holding });
      const task = await world.begin();
      const harness = harnessOf(sdk);
      const published: unknown[] = [];
      const note = (message: unknown): void => void published.push(message);
      const channel = tracingChannel(AI_SDK_TELEMETRY_TRACING_CHANNEL);
      const subscriber = { start: note, end: note, asyncStart: note, asyncEnd: note, error: note };
      channel.subscribe(subscriber);
      const tool = { name: "search_run", description: "searches", input: "open", result: "data", failure: "thrown", run: () => "found" } as const;
      const tools = [tool, { ...tool, name: "payments_pay" }, { ...tool, name: "notes_read" }];
      const inner = { ...tool, name: "crm_read", run: () => ({ records: [{ customer_id: "c1" }] }) };
      const reading = { id: "inner", name: "crm_read", args: { customer_id: "c1", limit: 1 } };
      const run = async ({ pep, task: envelope }: { readonly pep: typeof world.pep; readonly task: typeof task }): Promise<string> => {
        note(await harness.run({ pep, envelope, tools: [inner], calls: [reading], isStreamed }));
        return "classified";
      };
      const handOffs = [{ name: "classify", description: "classifies", to: { agentId: "classifier", purpose: "classify", allowedTools: ["crm.read"] }, run }];
      const calls = [
        { id: "call-1", name: "search_run", args: {} },
        { id: "call-2", name: "payments_pay", args: { to: "c1", amount: 5 } },
        { id: "call-3", name: "notes_read", args: {} },
        { id: "call-4", name: "classify", args: {} },
      ];
      const turn = await harness.run({ pep: world.pep, envelope: () => task, tools, handOffs, calls, isStreamed });
      channel.unsubscribe(subscriber);

      expect(turn.failure).toBeUndefined();
      expect(turn.shown.map(({ isError }) => isError)).toEqual([false, true, true, false]);
      if (sdk.major === 7) expect(published.length).toBeGreaterThan(0);
      const seen = everything([turn, published, protect(world.pep, { tools: {}, envelope: task })]);
      expect(seen).toContain("payments_pay");
      expect(world.secrets.length).toBeGreaterThan(4);
      for (const secret of world.secrets) expect(seen.includes(secret), "a handle, a token, a proof, a grant or a receipt was seen").toBe(false);
    },
  );
});
