import { AmbitError } from "@ambit/core";
import { createPdp } from "@ambit/pdp";
import { allRoutes, checkSameServing, createPdpService, parseServing, servePdp, type Route, type Serving } from "@ambit/pdp/server";
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
  const read = async (): Promise<Serving> => parseServing(await createInputs(terminal).json(serve), serve);
  const serving = await configured(read);
  const decisionPoint = await configured(() => createPdp(config));
  try {
    const { url, callers, failedAttempts } = serving;
    const routesOf = ({ workloads, securityEvents }: Serving): readonly Route[] => allRoutes({ pdp: decisionPoint, url, workloads, securityEvents });
    const onError = (error: unknown): void => terminal.err(`error: ${printable(reasonOf(error), 500)}\n`);
    const service = await configured(async () =>
      createPdpService({
        pdp: decisionPoint,
        ready: { state: () => decisionPoint.ready() },
        url,
        callers,
        failedAttempts,
        routes: routesOf(serving),
        onError,
      }),
    );
    if (values.check === true) {
      terminal.out("the configuration holds\n");
      return 0;
    }
    const running = await configured(() => servePdp(service, serving.serve));
    terminal.err(`serving ${shown(url)} on port ${running.port}; ${decisionPoint.policyEngine}, policies ${decisionPoint.policyDigest}\n`);
    const told = async (file: string, reload: () => Promise<string>): Promise<void> =>
      reload().then(
        (done) => terminal.err(`reloaded ${shown(file)}; ${done}\n`),
        (error: unknown) => terminal.err(`not reloaded, the old ${shown(file)} holds: ${printable(reasonOf(error), 1000)}\n`),
      );
    let reloading = Promise.resolve();
    const reload = async (): Promise<void> => {
      await told(values.config, async () => {
        await decisionPoint.reload();
        return `policies ${decisionPoint.policyDigest}`;
      });
      await told(values.serve, async () => {
        const next = await read();
        checkSameServing(serving, next);
        service.reload({ callers: next.callers, routes: routesOf(next) });
        running.renew(next.serve.tls);
        return `${next.callers.length} callers`;
      });
    };
    // One after the other, so that the latest files count.
    const forget = terminal.onReload(() => void (reloading = reloading.then(reload)));
    await terminal.stopped;
    forget();
    await reloading;
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
