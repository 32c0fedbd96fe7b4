import { parseArgs } from "node:util";
import type { CreateFramework } from "./framework.ts";
import { aiSdk } from "./frameworks/ai-sdk.ts";
import { langchain } from "./frameworks/langchain.ts";
import { mcp } from "./frameworks/mcp.ts";
import { measure, type Figures } from "./measure.ts";
import { bytesPerEnvelope } from "./memory.ts";
import { meter } from "./meter.ts";
import { lines, type Report } from "./report.ts";
import { createWorld } from "./world.ts";

const { values } = parseArgs({ options: { json: { type: "boolean", default: false }, calls: { type: "string", default: "5000" } } });
const calls = Number(values.calls);
if (!Number.isSafeInteger(calls) || calls < 1) throw new TypeError("`--calls` must be a whole number of at least 1");

// First: what the frameworks leave behind would be collected while it counts.
const bytes = await bytesPerEnvelope(Math.min(calls, 5000));
const FRAMEWORKS: readonly CreateFramework[] = [langchain, aiSdk, mcp];
const figures: Figures[] = [];
for (const create of FRAMEWORKS) {
  const { pep, begin } = await createWorld();
  const metered = meter(pep);
  const framework = await create(metered.pep, await begin());
  figures.push(await measure(framework, metered, { calls, warmUp: calls }));
  await framework.close();
}
const report: Report = { node: process.version, calls, figures, bytesPerEnvelope: bytes };
process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : `${lines(report).join("\n")}\n`);
