import { CASES, type Case, type EndpointName, type Level } from "./cases.ts";

export interface Target {
  /** The base URL of the decision point, without a slash at its end. */
  readonly url: string;
  /** Sent with every question: `{ authorization: "Bearer …" }`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether endpoints may be without TLS, as on this host. */
  readonly allowHttp?: boolean;
}

export interface Result {
  readonly level: Level;
  readonly name: string;
  /** What is wrong; absent when it is as it should be. */
  readonly problem?: string;
}

type Endpoints = Readonly<Record<EndpointName, string>>;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly requestId: string | null;
  readonly json: unknown;
}

const PATHS: Endpoints = {
  evaluation: "/access/v1/evaluation",
  evaluations: "/access/v1/evaluations",
  subject: "/access/v1/search/subject",
  resource: "/access/v1/search/resource",
  action: "/access/v1/search/action",
};

const MEMBERS: Endpoints = {
  evaluation: "access_evaluation_endpoint",
  evaluations: "access_evaluations_endpoint",
  subject: "search_subject_endpoint",
  resource: "search_resource_endpoint",
  action: "search_action_endpoint",
};

/** Asks a decision point everything that the certification scenario asks, over HTTP. One that has no metadata is asked at the default paths. */
export async function runConformance(target: Target): Promise<readonly Result[]> {
  const results: Result[] = [];
  const check = async (level: Level, name: string, run: () => Promise<string | undefined>): Promise<void> => {
    const problem = await run().catch((error: unknown) => (error instanceof Error ? error.message : "it threw"));
    results.push({ level, name, ...(problem === undefined ? {} : { problem }) });
  };
  const metadata = await get(wellKnown(target.url), target);
  await discovery(target, metadata, check);
  const endpoints = endpointsOf(target, metadata);
  const post = (endpoint: EndpointName, body: object | string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    ask(endpoints[endpoint], { ...target.headers, "content-type": "application/json", ...headers }, typeof body === "string" ? body : JSON.stringify(body));

  const found = new Map<string, string>();
  for (const one of CASES) {
    await check(one.level, one.name, async () => {
      for (let time = 0; time < (one.times ?? 1); time++) {
        const problem = wrongWith(one, await post(one.endpoint, one.body, one.contentType === undefined ? {} : { "content-type": one.contentType }), found);
        if (problem !== undefined) return problem;
      }
      return undefined;
    });
  }
  const question = CASES[0]?.body as object;
  for (const endpoint of ["evaluation", "evaluations"] as const) {
    await check("basic core", `a request id comes back from the ${endpoint} endpoint`, async () => {
      const answer = await post(endpoint, question, { "x-request-id": "bfe9eb29-ab87-4ca3-be83-a1d5d8305716" });
      return answer.requestId === "bfe9eb29-ab87-4ca3-be83-a1d5d8305716" ? undefined : `X-Request-ID is ${answer.requestId}`;
    });
  }
  await check("search core", "pages of one lead to the end, and to everything", () => pages(post));
  return results;
}

async function pages(post: (endpoint: EndpointName, body: object) => Promise<Answer>): Promise<string | undefined> {
  const search = CASES.find(({ name }) => name === "who may read record 1")?.body as object;
  const all = namesIn(await post("subject", search));
  const seen: string[] = [];
  let token: unknown;
  for (let page = 0; page < 20; page++) {
    const answer = await post("subject", { ...search, page: token === undefined ? { limit: 1 } : { token } });
    if (answer.status !== 200) return `page ${page + 1} has the status ${answer.status}`;
    const { page: told, results } = answer.json as { readonly page?: unknown; readonly results?: unknown };
    if (!Array.isArray(results)) return "`results` is no list";
    seen.push(...namesIn(answer));
    if (told === undefined && page === 0) return undefined; // pages are optional
    if (typeof told !== "object" || told === null) return "`page` is no object";
    token = (told as { readonly next_token?: unknown }).next_token;
    if (typeof token !== "string") return "`page.next_token` is no text";
    if (token === "") return seen.toSorted().join() === all.toSorted().join() ? undefined : `the pages have ${seen.join()}, the whole ${all.join()}`;
  }
  return "the pages do not end";
}

function wrongWith({ name, expect }: Case, answer: Answer, found: Map<string, string>): string | undefined {
  if ("status" in expect) return answer.status === expect.status ? undefined : `the status is ${answer.status}`;
  if (answer.status !== 200) return `the status is ${answer.status}`;
  if (!/^application\/json\b/.test(answer.type)) return `the media type is ${answer.type}`;
  if ("decision" in expect) return wrongDecision(answer.json, expect.decision);
  if ("decisions" in expect) {
    const { evaluations } = answer.json as { readonly evaluations?: unknown };
    if (!Array.isArray(evaluations) || evaluations.length !== expect.decisions.length) return "`evaluations` has not one for each";
    return evaluations.map((one, index) => wrongDecision(one, expect.decisions[index] ?? "any")).find((problem) => problem !== undefined);
  }
  const { results } = answer.json as { readonly results?: unknown };
  if (!Array.isArray(results)) return "`results` is no list";
  if ("empty" in expect) return results.length === 0 ? undefined : `there are ${results.length} results`;
  const names = namesIn(answer);
  found.set(name, names.toSorted().join());
  const missing = expect.include.find((wanted) => !names.includes(wanted));
  if (missing !== undefined) return `${missing} is not among ${names.join()}`;
  if (expect.only !== undefined && !(results as readonly { readonly type?: unknown }[]).every(({ type }) => type === expect.only))
    return "a result is of another type";
  return expect.same === undefined || found.get(expect.same) === found.get(name) ? undefined : `the results are not those of "${expect.same}"`;
}

function wrongDecision(json: unknown, expected: boolean | "any"): string | undefined {
  const { decision, context } = (json ?? {}) as { readonly decision?: unknown; readonly context?: unknown };
  if (typeof decision !== "boolean") return "`decision` is no boolean";
  if (context !== undefined && (typeof context !== "object" || context === null || Array.isArray(context))) return "`context` is no object";
  return expected === "any" || decision === expected ? undefined : `the decision is ${decision}`;
}

function namesIn({ json }: Answer): readonly string[] {
  const { results } = json as { readonly results?: unknown };
  return Array.isArray(results) ? (results as readonly { readonly id?: unknown; readonly name?: unknown }[]).map(({ id, name }) => String(id ?? name)) : [];
}

async function discovery(
  { url, allowHttp = false }: Target,
  metadata: Answer,
  check: (level: Level, name: string, run: () => Promise<string | undefined>) => Promise<void>,
): Promise<void> {
  const document = (metadata.json ?? {}) as Readonly<Record<string, unknown>>;
  const isUrl = (value: unknown): boolean =>
    typeof value === "string" && (URL.parse(value)?.protocol === "https:" || (allowHttp && URL.parse(value)?.protocol === "http:"));
  await check("discovery", "there are metadata, as JSON", async () =>
    metadata.status === 200 && /^application\/json\b/.test(metadata.type) ? undefined : `${metadata.status} ${metadata.type}`,
  );
  await check("discovery", "they are of the decision point that was asked", async () =>
    document["policy_decision_point"] === url ? undefined : String(document["policy_decision_point"]),
  );
  await check("discovery", "they say where it is asked", async () => (isUrl(document[MEMBERS.evaluation]) ? undefined : "no `access_evaluation_endpoint`"));
  await check("discovery", "every endpoint is a URL", async () =>
    Object.values(MEMBERS).find((member) => document[member] !== undefined && !isUrl(document[member])),
  );
  await check("discovery", "capabilities are a list of names", async () => {
    const { capabilities } = document as { readonly capabilities?: unknown };
    return capabilities === undefined || (Array.isArray(capabilities) && capabilities.every((one) => typeof one === "string")) ? undefined : "they are not";
  });
}

function endpointsOf({ url }: Target, { status, json }: Answer): Endpoints {
  const named = (name: EndpointName): string | undefined => {
    const value = status === 200 ? (json as Readonly<Record<string, unknown>> | null)?.[MEMBERS[name]] : undefined;
    return typeof value === "string" ? value : undefined;
  };
  const names = Object.keys(PATHS) as EndpointName[];
  return Object.fromEntries(names.map((name) => [name, named(name) ?? url + PATHS[name]])) as Endpoints;
}

function wellKnown(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}/.well-known/authzen-configuration${pathname === "/" ? "" : pathname}`;
}

function get(url: string, { headers = {} }: Target): Promise<Answer> {
  return ask(url, headers);
}

async function ask(url: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Answer> {
  const response = await fetch(url, { method: body === undefined ? "GET" : "POST", headers, redirect: "manual", ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  return { status: response.status, type: response.headers.get("content-type") ?? "", requestId: response.headers.get("x-request-id"), json: readJson(text) };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
