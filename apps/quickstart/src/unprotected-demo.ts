import type { Models } from "./model/models.ts";
import type { ReviewSubject } from "./model/review-plan.ts";
import { readAftermath } from "./run/aftermath.ts";
import { resultChecks, safetyChecks } from "./run/checks.ts";
import { startServers } from "./run/servers.ts";
import { runUnprotected, type Onlooker } from "./run/unprotected.ts";
import { within } from "./run/within.ts";
import type { Workspace } from "./run/workspace.ts";
import { showChecks } from "./show/report.ts";
import { brief, type Screen } from "./show/screen.ts";
import { showInstructions } from "./show/steps.ts";

export interface DemoParts {
  readonly models: Models;
  readonly subject: ReviewSubject;
  readonly workspace: Workspace;
  readonly screen: Screen;
}

/** The review without Ambit. With the gullible script the damage must be there, or the demo shows nothing; with a real model anything may come out. */
export async function unprotectedDemo({ models, subject, workspace, screen }: DemoParts): Promise<boolean> {
  const { paint, line, heading } = screen;
  heading("Contract-renewal review, without Ambit");
  line(`  The model is ${models.name}. Every tool runs, whoever asks, on a database that is thrown away afterwards.`);

  heading("What ran");
  const watch: Onlooker = {
    onCall: (agent, tool, input) =>
      line(`    ${paint("yellow", "▶ runs")} ${paint("bold", tool.padEnd(17))} ${paint("dim", agent.padEnd(17))} ${brief(input, screen.width - 50)}`),
    onStep: (step) => showInstructions(screen, step),
  };
  const reviewed = await within(await startServers(workspace), (servers) => runUnprotected(models, subject, servers, watch));

  heading("What happened to the data");
  const aftermath = readAftermath(workspace, reviewed);
  const safety = safetyChecks(aftermath);
  showChecks(screen, [...safety, ...resultChecks(aftermath)]);
  line();
  line(paint("dim", "  The same agent, model and contract with Ambit: npm run demo"));
  return !models.isScripted || safety.some(({ holds }) => !holds);
}
