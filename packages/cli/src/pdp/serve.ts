import { AmbitError } from "@ambit/core";
import { createPdp } from "@ambit/pdp";
import { allRoutes, createPdpService, parseServing, servePdp } from "@ambit/pdp/server";
import { resolve } from "node:path";
import { CliError, reasonOf, usageError } from "../cli-error.ts";
import { printable } from "../infer/printable.ts";
import { createInputs } from "../input/inputs.ts";
import { needed, readOptions } from "../options.ts";
import { shown } from "../output/shown.ts";
import type { Terminal } from "../terminal.ts";

const OPTIONS = {
  config: { type: "string", default: "ambit.config.json" },
  serve: { type: "string", default: "ambit.serve.json" },
  check: { type: "boolean" },
} as const;

/** Serves a decision point until it is asked to stop. Whatever is wrong with its configuration is told before anything listens. */
export async function pdp(args: readonly string[], terminal: Terminal): Promise<number> {
  const [action, ...rest] = args;
  if (action !== "serve") throw usageError("`ambit pdp` has the one command `serve`");
  const { values } = readOptions(rest, OPTIONS);
  const [config, serve] = [resolve(terminal.cwd, needed(values.config, "config")), resolve(terminal.cwd, needed(values.serve, "serve"))];
  const serving = await configured(async () => parseServing(await createInputs(terminal).json(serve), serve));
  const decisionPoint = await configured(() => createPdp(config));
  try {
    const { url, callers, workloads, securityEvents, failedAttempts } = serving;
    const onError = (error: unknown): void => terminal.err(`error: ${printable(reasonOf(error), 500)}\n`);
    const service = await configured(async () =>
      createPdpService({
        pdp: decisionPoint,
        ready: { state: () => decisionPoint.ready() },
        url,
        callers,
        failedAttempts,
        routes: allRoutes({ pdp: decisionPoint, url, workloads, securityEvents }),
        onError,
      }),
    );
    if (values.check === true) {
      terminal.out("the configuration holds\n");
      return 0;
    }
    const running = await configured(() => servePdp(service, serving.serve));
    terminal.err(`serving ${shown(url)} on port ${running.port}; ${decisionPoint.policyEngine}, policies ${decisionPoint.policyDigest}\n`);
    const forget = terminal.onReload(() => {
      void decisionPoint.reload().then(
        () => terminal.err(`reloaded; policies ${decisionPoint.policyDigest}\n`),
        (error: unknown) => terminal.err(`not reloaded, the old configuration holds: ${printable(reasonOf(error), 1000)}\n`),
      );
    });
    await terminal.stopped;
    forget();
    await running.close();
    terminal.err("stopped\n");
    return 0;
  } finally {
    await decisionPoint.close();
  }
}

/** What is wrong with what a person wrote is no failure of the command. */
async function configured<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (AmbitError.isInstance(error)) throw new CliError(error.code, error.message, { exitCode: 2, cause: error });
    if (CliError.isInstance(error)) throw error;
    throw new CliError("not_served", reasonOf(error), { cause: error });
  }
}
