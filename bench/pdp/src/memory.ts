import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { AccessRequest, BeginRequest, Issued } from "@ambit/core";
import { holdChain, signPop } from "@ambit/core/token";
import { createMemoryRelations, createRelations, parseRelationModel, type Tuple } from "@ambit/pdp/relations";
import { permitted } from "./embedded.ts";
import { ARGS, asked, AUDIENCE, createWorld, TENANT, TOOL, type Kind, type World } from "./scenario.ts";
import { answerQuestions } from "./worker.ts";

export interface EnvelopeBytes {
  readonly kind: Kind;
  readonly envelopes: number;
  /** Of the heap for each envelope, after it was given out. */
  readonly begun: number;
  /** And after one call was decided under it. */
  readonly used: number;
  /** Of the envelope as it is written: its JSON, or its tokens. */
  readonly text: number;
}

export interface TupleBytes {
  readonly tuples: number;
  /** Of the heap for each tuple. */
  readonly bytes: number;
  /** For each in a plain `Set` of the texts `type:id relation type:id`. */
  readonly plain: number;
}

interface Questions {
  readonly [name: string]: (question: never) => Promise<unknown>;
  readonly envelopes: (question: { readonly kind: Kind; readonly count: number }) => Promise<EnvelopeBytes>;
  readonly tuples: (count: number) => Promise<TupleBytes>;
}

/** A process whose heap has nothing else in it. */
export type Memory = Questions;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

answerQuestions<Questions>({
  envelopes: async ({ kind, count }) => {
    const world = await createWorld(kind);
    const { begin, decide } = await asked(world);
    // What is compiled and made once is there before anything is counted.
    await use(world, decide, await give(world, begin, Math.min(count, 200), "warm"));
    world.ports.forget();
    const before = heap();
    const given = await give(world, begin, count, "live");
    world.ports.forgetLog();
    const begun = heap();
    await use(world, decide, given);
    world.ports.forgetLog();
    const used = heap();
    return { kind, envelopes: count, begun: (begun - before) / count, used: (used - before) / count, text: given.text / count };
  },
  tuples: async (count) => {
    await fill(Math.min(count, 1000));
    const start = heap();
    const relations = await fill(count);
    const bytes = (heap() - start) / count;
    if (!(await relations.check(TENANT, { type: "user", id: "user_0" }, "viewer", { type: "Doc", id: "doc_0" }))) throw new Error("a tuple is missing");
    const middle = heap();
    const plain = new Set(
      (function* (): Iterable<string> {
        for (const tuple of tuplesOf(count)) yield textOf(tuple);
      })(),
    );
    const plainBytes = (heap() - middle) / count;
    if (plain.size !== count) throw new Error("two tuples are one");
    return { tuples: count, bytes, plain: plainBytes };
  },
});

function heap(): number {
  for (let times = 0; times < 3; times++) collect();
  return process.memoryUsage().heapUsed;
}

/** Holdings outside of the heap: what an agent keeps is its own. */
interface Given {
  readonly holdings: Buffer;
  /** Characters of all of them. */
  readonly text: number;
}

async function give({ pdp }: World, begin: BeginRequest, count: number, name: string): Promise<Given> {
  const lines: string[] = [];
  let text = 0;
  for (let index = 0; index < count; index++) {
    const answer = await pdp.begin({ ...begin, envelope: { ...begin.envelope, session_id: `session_${name}_${index}`, task_id: `task_${name}_${index}` } });
    if (!answer.decision) throw new Error(`refused: ${answer.refusal.code}`);
    const { holding } = answer.issued;
    text += holding.kind === "chain" ? holding.chain.join("").length : JSON.stringify(begin.envelope).length;
    lines.push(JSON.stringify(holding));
  }
  return { holdings: Buffer.from(lines.join("\n")), text };
}

async function use({ pdp, key }: World, decide: AccessRequest, { holdings }: Given): Promise<void> {
  let calls = 0;
  for (const line of lines(holdings)) {
    const holding = JSON.parse(line) as Issued["holding"];
    let presentation: AccessRequest["context"]["presentation"];
    if (holding.kind === "handle") presentation = holding;
    else {
      if (key === undefined) throw new Error("there is no key");
      const { leaf } = holdChain(holding.chain);
      presentation = { ...holding, pop: await signPop({ leaf, tool: TOOL, args: ARGS, audience: AUDIENCE, now: Date.now() }, key) };
    }
    await permitted(pdp, { ...decide, context: { ...decide.context, presentation, call_id: `${++calls}/call` } });
  }
}

function* lines(text: Buffer): Iterable<string> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("\n", start);
    yield text.toString("utf8", start, end === -1 ? text.length : end);
    start = end === -1 ? text.length : end + 1;
  }
}

const MODEL = parseRelationModel({
  types: {
    user: {},
    group: { relations: { member: ["user", "group#member"] } },
    Folder: { relations: { viewer: ["user", "group#member"] } },
    Doc: { relations: { parent: ["Folder"], owner: ["user"], viewer: { any: [["user", "group#member"], "owner", { relation: "viewer", from: "parent" }] } } },
  },
});

/** A company: of ten documents' tuples four say who may read, two who owns, three where they lie or which group reads, one who is in a group. */
function* tuplesOf(count: number): Iterable<Tuple> {
  const users = Math.ceil(count / 20);
  const of = (type: string, index: number): { readonly type: string; readonly id: string } => ({ type, id: `${type.toLowerCase()}_${index}` });
  for (let index = 0; index < count; index++) {
    const [block, part] = [Math.floor(index / 10), index % 10];
    // No two of one block are equal, and blocks have documents of their own.
    const user = of("user", (block + part * 7) % Math.max(users, 70));
    const doc = of("Doc", block * 2 + (part % 2));
    if (part < 4) yield { object: doc, relation: "viewer", subject: user };
    else if (part < 6) yield { object: doc, relation: "owner", subject: user };
    else if (part < 8) yield { object: doc, relation: "parent", subject: of("Folder", Math.floor(block / 10)) };
    else if (part < 9) yield { object: doc, relation: "viewer", subject: { ...of("group", block % 100), relation: "member" } };
    else yield { object: of("group", block), relation: "member", subject: user };
  }
}

function textOf({ object, relation, subject }: Tuple): string {
  const who = "id" in subject ? `${subject.type}:${subject.id}${"relation" in subject ? `#${subject.relation}` : ""}` : `${subject.type}:*`;
  return `${object.type}:${object.id} ${relation} ${who}`;
}

async function fill(count: number): Promise<ReturnType<typeof createRelations>> {
  const relations = createRelations({ model: MODEL, store: createMemoryRelations() });
  let add: Tuple[] = [];
  const write = async (): Promise<void> => {
    await relations.write(TENANT, { add });
    add = [];
  };
  for (const tuple of tuplesOf(count)) if (add.push(tuple) === 10_000) await write();
  await write();
  return relations;
}
