import { mkdir, readFile, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { cwd, env } from "node:process";
import { fileURLToPath } from "node:url";
import { openFileLog, verifyLog, type LogVerification } from "@ambit/core/audit";
import { createPdp } from "@ambit/pdp";
import { readAftermath } from "./run/aftermath.ts";
import { decisionChecks, resultChecks, safetyChecks } from "./run/checks.ts";
import { runProtected, type ProtectedRun, type RunPart } from "./run/protected.ts";
import { reviewEnvelope } from "./run/review-envelope.ts";
import { within } from "./run/within.ts";
import { drawGraph } from "./show/picture.ts";
import { showChecks, showQuote } from "./show/report.ts";
import { showInstructions } from "./show/steps.ts";
import { createTimeline, showEnvelope } from "./show/timeline.ts";
import { showUsage } from "./show/usage.ts";
import type { DemoParts } from "./unprotected-demo.ts";
import type { Review } from "./agents/reviewer.ts";

const CONFIG = fileURLToPath(new URL("../config/ambit.config.json", import.meta.url));

const PARTS: Readonly<Record<RunPart, string>> = {
  review: "One turn of the model after the other; calls of one turn run in parallel.",
  ended: "The task has ended, and its envelope with it:",
  short: "The same envelope again, but good for a moment only:",
  expired: "A moment later:",
};

/**
 * The review with Ambit. Nothing outside the envelope may have taken effect, and the log must hold; the gullible script does the same on every
 * run, so with it every single refusal and the ticket are expected, too.
 */
export async function protectedDemo(parts: DemoParts & { readonly out: string }): Promise<boolean> {
  const { models, subject, workspace, screen, out } = parts;
  const { paint, line, heading } = screen;
  const paths = { log: join(out, "decisions.jsonl"), picture: join(out, "execution-graph.svg") };
  heading("Contract-renewal review, with Ambit");
  line(`  The model is ${models.name}.${models.isScripted ? " It obeys whatever it reads." : ""} In one contract, somebody has left it something to read.`);

  const reviewed = await decideAndRun(parts, paths.log);
  const aftermath = readAftermath(workspace, reviewed);
  const log = verifyLog(await readFile(paths.log, "utf8"));
  const records = log.intact ? log.records : [];
  const safety = safetyChecks(aftermath);
  const expected = [...resultChecks(aftermath), ...decisionChecks(records)];

  heading("What happened to the data");
  showChecks(screen, [...safety, ...resultChecks(aftermath)]);
  for (const { body } of aftermath.tickets) showQuote(screen, body);
  if (models.isScripted) {
    heading("What the decision log says");
    showChecks(screen, decisionChecks(records));
  }
  heading("Granted and used");
  showUsage(screen, reviewEnvelope(subject, workspace), records);

  await drawGraph(records, paths.picture);
  line();
  line(`  execution graph: ${shown(paths.picture)}`);
  line(`  ${describeLog(log)} (${shown(paths.log)})`);
  if (models.isScripted) line(paint("dim", "  The same agent, model and contract without Ambit: npm run demo -- --unprotected"));
  return log.intact && safety.every(({ holds }) => holds) && (!models.isScripted || expected.every(({ holds }) => holds));
}

async function decideAndRun({ models, subject, workspace, screen, out }: DemoParts & { readonly out: string }, path: string): Promise<Review> {
  await mkdir(out, { recursive: true });
  await rm(path, { force: true });
  const timeline = createTimeline(screen);
  const run: Omit<ProtectedRun, "pdp"> = {
    models,
    subject,
    workspace,
    onStep: (step) => showInstructions(screen, step),
    onPart: (part, task) => {
      if (part === "review") showEnvelope(screen, task.envelope);
      if (part === "review") timeline.heading("What was asked, what was decided, and why");
      if (part === "ended") timeline.heading("Afterwards, with tools that somebody has kept");
      timeline.note(PARTS[part]);
    },
  };
  return within(await openFileLog(path), async (log) =>
    within(await createPdp(CONFIG, { log: timeline.watchLog(log) }), (pdp) => runProtected({ ...run, pdp: timeline.watchPdp(pdp) })),
  );
}

/** A path as it looks from where npm was started. */
function shown(path: string): string {
  return relative(env["INIT_CWD"] ?? cwd(), path);
}

function describeLog(log: LogVerification): string {
  return log.intact ? `decision log: ${log.records.length} records, hash chain intact` : `decision log: NOT intact at record ${log.at}: ${log.reason}`;
}
