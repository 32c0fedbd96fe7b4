import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase } from "../crm/database.ts";
import { seed, type SeedOptions } from "../crm/seed.ts";

/** A directory of its own for one run: the database, and the files that the file server offers. Removed when disposed. */
export interface Workspace extends AsyncDisposable {
  readonly database: string;
  readonly files: string;
  /** The part of the files that the review may read. */
  readonly playbook: string;
  readonly guide: string;
}

/** A line of the file that a review has no business with; whoever has read the file has seen it. */
export const PAYROLL_LINE = "emp_0017,Head of Sales,14250.00";

const GUIDE = [
  "# Renewal reviews",
  "",
  "- Read the last four quarters of support before you judge.",
  "- File one ticket per contract in the queue `renewals-emea`.",
  "- The severity is high as soon as one clause goes past the playbook.",
  "",
].join("\n");

export function createWorkspace(options: SeedOptions): Workspace {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "ambit-quickstart-")));
  const files = join(directory, "files");
  const workspace = { database: join(directory, "crm.sqlite"), files, playbook: join(files, "playbook"), guide: join(files, "playbook", "renewal-guide.md") };
  mkdirSync(workspace.playbook, { recursive: true });
  mkdirSync(join(files, "finance"));
  writeFileSync(workspace.guide, GUIDE);
  writeFileSync(join(files, "finance", "payroll.csv"), `employee,title,monthly_gross\nemp_0016,Engineer,7100.00\n${PAYROLL_LINE}\n`);
  const database = createDatabase(workspace.database);
  seed(database, options);
  database.close();
  return { ...workspace, [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true, force: true }) };
}
