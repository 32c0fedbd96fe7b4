import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Figures, FiguresByGroup } from "./figures.ts";
import { driverPath, type Workload } from "./workloads.ts";

/** What the driver measured. */
export interface Measured {
  /** Decisions that threw; any makes the figures worthless. */
  readonly thrown: number;
  readonly figures: FiguresByGroup;
  /** How many steps were denied for another reason than the envelope's tool list, by suite, tool and code. */
  readonly otherDenials: Readonly<Record<string, number>>;
  /** Microseconds. */
  readonly latency: { readonly p50: number; readonly p95: number; readonly p99: number; readonly n: number };
}

interface DriverAnswer {
  readonly thrown: number;
  /** By group, then by who answers questions; we ask none. */
  readonly results: Readonly<Record<string, { readonly refuse: Figures }>>;
  readonly latency_us: Measured["latency"];
}

const ADAPTER = fileURLToPath(new URL("./adapter.ts", import.meta.url));

/** Runs the driver over a workload in a process of its own, without hints. Throws when it fails. */
export function drive(folder: string, { casesPath, outputsPath }: Workload): Measured {
  const scratch = mkdtempSync(join(tmpdir(), "ambit-replay-"));
  try {
    const answerPath = join(scratch, "answer.json");
    const denialsPath = join(scratch, "denials.json");
    const outputs = outputsPath === undefined ? [] : ["--outputs", outputsPath];
    const args = [...process.execArgv, driverPath(folder), ADAPTER, casesPath, ...outputs, "--json", answerPath];
    const env = { ...process.env, AMBIT_WORKLOADS: folder, AMBIT_REPLAY_DENIALS: denialsPath };
    const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8", maxBuffer: 1 << 26 });
    if (status !== 0) throw new Error(`the driver failed: ${stderr.trim().split("\n").slice(-5).join("\n")}`);
    const answer = JSON.parse(readFileSync(answerPath, "utf8")) as DriverAnswer;
    return {
      thrown: answer.thrown,
      figures: new Map(Object.entries(answer.results).map(([group, { refuse }]) => [group, refuse])),
      otherDenials: JSON.parse(readFileSync(denialsPath, "utf8")) as Measured["otherDenials"],
      latency: answer.latency_us,
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
