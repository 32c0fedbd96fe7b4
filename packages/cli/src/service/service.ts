import { CliError, reasonOf, usageError } from "../cli-error.ts";
import type { Inputs } from "../input/inputs.ts";
import { needed } from "../options.ts";
import { printable } from "../infer/printable.ts";
import type { Terminal } from "../terminal.ts";

/** How a service is named on the command line. The secret never is: other processes can read it there. */
export const SERVICE_OPTIONS = { url: { type: "string" }, "secret-env": { type: "string" }, "secret-file": { type: "string" } } as const;

export const SERVICE_HELP: string = `  --url URL            the decision point; default: AMBIT_PDP_URL
  --secret-env NAME    the variable with the secret or token to ask with; default: AMBIT_PDP_SECRET
  --secret-file FILE   the file with it, or \`-\``;

/** A decision point that is a service, as an operator asks it. */
export interface Service {
  get(path: string, query: Readonly<Record<string, string>>): Promise<Readonly<Record<string, unknown>>>;
  post(path: string, body: object): Promise<Readonly<Record<string, unknown>>>;
}

const PATIENCE = 10_000;
const MOST_CHARACTERS = 8_388_608;

/** Refuses (`usage`) without a URL or a secret, and any URL but `https:` and loopback. */
export async function openService(
  values: { readonly url?: string | undefined; readonly "secret-env"?: string | undefined; readonly "secret-file"?: string | undefined },
  inputs: Inputs,
  terminal: Terminal,
): Promise<Service> {
  const url = new URL(checked(values.url ?? terminal.env["AMBIT_PDP_URL"]));
  const file = values["secret-file"];
  const secret = (file === undefined ? terminal.env[values["secret-env"] ?? "AMBIT_PDP_SECRET"] : await inputs.text(file))?.trim();
  if (secret === undefined || secret === "") throw usageError("there is nothing to ask with: `--secret-env`, `--secret-file` or AMBIT_PDP_SECRET");
  const ask = async (target: URL, init: RequestInit): Promise<Readonly<Record<string, unknown>>> => {
    let response: Response;
    let text: string;
    try {
      response = await fetch(target, {
        ...init,
        headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
        redirect: "error",
        signal: AbortSignal.timeout(PATIENCE),
      });
      text = await response.text();
    } catch (cause) {
      throw new CliError("pdp_unavailable", `the decision point cannot be reached: ${reasonOf(cause)}`, { exitCode: 2 });
    }
    const body = text.length > MOST_CHARACTERS ? undefined : objectOf(text);
    if (response.ok && body !== undefined) return body;
    const { code = "pdp_response_invalid", message = `it answers ${response.status}` } = (body?.["error"] ?? {}) as {
      readonly code?: unknown;
      readonly message?: unknown;
    };
    throw new CliError(printable(String(code), 64), printable(String(message), 500), { exitCode: response.status === 401 || response.status === 403 ? 2 : 1 });
  };
  const at = (path: string): URL => new URL(`${url.pathname === "/" ? "" : url.pathname}${path}`, url);
  return {
    get: (path, query) => ask(Object.assign(at(path), { search: new URLSearchParams(query).toString() }), { method: "GET" }),
    post: (path, body) => ask(at(path), { method: "POST", body: JSON.stringify(body) }),
  };
}

function checked(url: string | undefined): string {
  const parsed = URL.parse(needed(url, "url"));
  const isLoopback = parsed !== null && ["127.0.0.1", "[::1]", "localhost"].includes(parsed.hostname);
  if (parsed === null || !(parsed.protocol === "https:" || (parsed.protocol === "http:" && isLoopback)) || parsed.username !== "" || parsed.search !== "")
    throw usageError("`--url` must be an `https:` URL, or one of this machine");
  return parsed.href;
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
