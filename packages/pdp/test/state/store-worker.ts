import type { CallKey, Commit, StateStore } from "@ambit/core";

/** What a module that `describeStateRaces` is given exports: it opens the store in whatever process it is loaded by. */
export interface StoreModule {
  readonly openStore: (options: unknown) => Promise<SharedStore>;
}

export type SharedStore = StateStore & { close(): Promise<void> };

/** One method of the port, or one of the longer jobs below. */
export type Job =
  { readonly method: Exclude<keyof StateStore, "sweep">; readonly args: readonly unknown[] } | { readonly method: "spend"; readonly args: readonly [SpendJob] };

/** Many calls, some at a time, each with its own id: `<prefix>-<number>`, and the grant `g-<call id>`. */
export interface SpendJob {
  readonly prefix: string;
  readonly count: number;
  readonly parallel: number;
  /** Of each commit; absent members are those of the call. */
  readonly commit: Omit<Commit, "callId" | "callDigest" | "decisionId" | "grant" | "now">;
  /** How long a grant holds what it reserved, in milliseconds. */
  readonly lifetime: number;
  /** What happens to a call that was committed, by its number, over and over: left, redeemed only, or redeemed (unless cancelled) and settled. */
  readonly endings: readonly ("leave" | "redeem" | "commit" | "release" | "cancel" | "undo")[];
}

/** How many answers there were of each kind, and what was kept of what was reserved: left or redeemed calls count, given back ones do not. */
export interface SpendReport {
  readonly statuses: { readonly [status: string]: number };
  readonly kept: number;
  readonly errors: readonly string[];
}

export async function runJob(store: StateStore, { method, args }: Job): Promise<unknown> {
  if (method === "spend") return spendMany(store, args[0]);
  const run = store[method] as (...args: readonly unknown[]) => Promise<unknown>;
  return run(...args);
}

async function spendMany(store: StateStore, job: SpendJob): Promise<SpendReport> {
  const statuses: Record<string, number> = {};
  const errors: string[] = [];
  let kept = 0;
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < job.count; index = next++) {
      try {
        const { status, isKept } = await spendOne(store, job, index);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (isKept) kept += 1;
      } catch (error) {
        errors.push(String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: job.parallel }, lane));
  return { statuses, kept, errors };
}

async function spendOne(store: StateStore, job: SpendJob, index: number): Promise<{ readonly status: string; readonly isKept: boolean }> {
  const callId = `${job.prefix}-${index}`;
  const key: CallKey = { tenantId: job.commit.tenantId, envelopeId: job.commit.envelopeId, callId };
  const now = Date.now();
  const grant = { id: `g-${callId}`, expiresAt: now + job.lifetime };
  const { status } = await store.commit({ ...job.commit, callId, callDigest: "d", decisionId: "dec", grant, now });
  if (status !== "committed") return { status, isKept: false };
  const ending = job.endings[index % job.endings.length] ?? "leave";
  if (ending === "leave") return { status, isKept: true };
  if (ending !== "cancel") {
    const answer = await store.redeem(key, grant.id, "d", Date.now());
    if (answer !== "redeemed") return { status: answer, isKept: false };
  }
  if (ending === "redeem") return { status, isKept: true };
  const labels = await store.settle({ ...key, decisionId: "dec", grantId: grant.id, action: ending, used: {}, observed: false });
  return { status: labels === undefined ? "unsettled" : status, isKept: ending === "commit" };
}

/** The child's side: `store-process.ts` starts this file with the module and the options of the store. */
async function serve(module: string, options: string): Promise<void> {
  const { openStore } = (await import(module)) as StoreModule;
  const store = await openStore(JSON.parse(options));
  process.on("message", ({ id, job }: { readonly id: number; readonly job: Job }) => {
    runJob(store, job).then(
      (value) => process.send?.({ id, value }),
      (error: unknown) => process.send?.({ id, error: String(error) }),
    );
  });
  process.once("disconnect", () => void store.close());
  process.send?.({ id: 0, value: "open" });
}

const [, , module, options] = process.argv;
if (process.env["AMBIT_STORE_WORKER"] === "1" && module !== undefined && options !== undefined) await serve(module, options);
