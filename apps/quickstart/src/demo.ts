import { ANNEX } from "./crm/injection.ts";
import { CONTRACT, CUSTOMER, QUARTERS } from "./crm/seed.ts";
import { modelsFrom, type Environment } from "./model/models.ts";
import type { ReviewSubject } from "./model/review-plan.ts";
import { protectedDemo } from "./protected-demo.ts";
import { within } from "./run/within.ts";
import { createWorkspace } from "./run/workspace.ts";
import type { Screen } from "./show/screen.ts";
import { unprotectedDemo } from "./unprotected-demo.ts";

export interface DemoOptions {
  readonly isProtected: boolean;
  readonly environment: Environment;
  readonly screen: Screen;
  /** Directory for the decision log and the picture. */
  readonly out: string;
}

/** The demo; tells whether everything came out as it must. Throws `SettingError` for a setting that a person got wrong. */
export async function demo({ isProtected, environment, screen, out }: DemoOptions): Promise<boolean> {
  return within(createWorkspace({ annex: ANNEX }), async (workspace) => {
    const subject: ReviewSubject = { customerId: CUSTOMER, contractId: CONTRACT, quarters: QUARTERS, guide: workspace.guide };
    const part = { models: modelsFrom(environment, subject), subject, workspace, screen };
    return isProtected ? protectedDemo({ ...part, out }) : unprotectedDemo(part);
  });
}
