/** A part of the certification; each can be passed by itself. */
export type Level = "basic core" | "basic properties" | "batch core" | "batch properties" | "search core" | "search properties" | "discovery";

export type EndpointName = "evaluation" | "evaluations" | "subject" | "resource" | "action";

/** What has to come back. Whatever is not named is not looked at. */
export type Expectation =
  | { readonly status: 400 }
  | { readonly decision: boolean | "any" }
  /** One for each question; `any` where the scenario leaves it to the implementer. */
  | { readonly decisions: readonly (boolean | "any")[] }
  /** `only`: of this type. `same`: the results are those of another case. */
  | { readonly include: readonly string[]; readonly only?: string; readonly same?: string }
  | { readonly empty: true };

export interface Case {
  readonly level: Level;
  /** What is asked and what is expected, as a sentence. */
  readonly name: string;
  readonly endpoint: EndpointName;
  /** Sent as JSON; text is sent as it is. */
  readonly body: object | string;
  readonly contentType?: string;
  /** Asked this often; each answer has to do. */
  readonly times?: number;
  readonly expect: Expectation;
}

const alice = { type: "user", id: "alice" };
const bob = { type: "user", id: "bob" };
const admin = { ...bob, properties: { role: "admin" } };
const one = { type: "record", id: "record-1" };
const two = { type: "record", id: "record-2" };
const active = { ...one, properties: { status: "active" } };
const archived = { ...two, properties: { status: "archived" } };
const read = { name: "read" };
const write = { name: "write" };
const context = { time: "2025-06-27T18:03-07:00", ip: "192.168.1.1" };
const whole = { subject: alice, action: read, resource: one };

const bad = (level: Level, endpoint: EndpointName, name: string, body: object | string, contentType?: string): Case => ({
  level,
  name: `${name} is a bad request`,
  endpoint,
  body,
  ...(contentType === undefined ? {} : { contentType }),
  expect: { status: 400 },
});

const BASIC: readonly Case[] = [
  { level: "basic core", name: "alice reads record 1: yes", endpoint: "evaluation", body: whole, expect: { decision: true } },
  { level: "basic core", name: "alice writes record 1: yes", endpoint: "evaluation", body: { ...whole, action: write }, expect: { decision: true } },
  { level: "basic core", name: "bob reads record 1: yes", endpoint: "evaluation", body: { ...whole, subject: bob }, expect: { decision: true } },
  {
    level: "basic core",
    name: "bob writes record 1: no",
    endpoint: "evaluation",
    body: { ...whole, subject: bob, action: write },
    expect: { decision: false },
  },
  { level: "basic core", name: "a context changes nothing", endpoint: "evaluation", body: { ...whole, context }, expect: { decision: true } },
  {
    level: "basic core",
    name: "more properties than are known change nothing",
    endpoint: "evaluation",
    body: {
      subject: { ...alice, properties: { department: "Sales", role: "manager" } },
      action: { ...read, properties: { method: "GET" } },
      resource: { ...one, properties: { status: "active", owner: "bob" } },
    },
    expect: { decision: true },
  },
  {
    level: "basic core",
    name: "members that nobody knows are ignored",
    endpoint: "evaluation",
    body: { ...whole, foo: "bar", futureField: { nested: true } },
    expect: { decision: true },
  },
  { level: "basic core", name: "the same question has the same answer", endpoint: "evaluation", body: whole, times: 5, expect: { decision: true } },
  bad("basic core", "evaluation", "no subject", { action: read, resource: one }),
  bad("basic core", "evaluation", "no action", { subject: alice, resource: one }),
  bad("basic core", "evaluation", "no resource", { subject: alice, action: read }),
  bad("basic core", "evaluation", "a subject without a type", { ...whole, subject: { id: "alice" } }),
  bad("basic core", "evaluation", "a subject without an id", { ...whole, subject: { type: "user" } }),
  bad("basic core", "evaluation", "an action without a name", { ...whole, action: {} }),
  bad("basic core", "evaluation", "a resource without a type", { ...whole, resource: { id: "record-1" } }),
  bad("basic core", "evaluation", "a resource without an id", { ...whole, resource: { type: "record" } }),
  bad("basic core", "evaluation", "a subject that is text", { ...whole, subject: "alice" }),
  bad("basic core", "evaluation", "an action whose name is a number", { ...whole, action: { name: 123 } }),
  bad("basic core", "evaluation", "text", JSON.stringify(whole), "text/plain"),
  bad("basic core", "evaluation", "half of JSON", '{"subject": {"type": "user"'),
  bad("basic core", "evaluation", "nothing at all", ""),
  {
    level: "basic properties",
    name: "alice writes what is archived: no",
    endpoint: "evaluation",
    body: { subject: alice, action: write, resource: archived },
    expect: { decision: false },
  },
  {
    level: "basic properties",
    name: "an admin writes what is archived: yes",
    endpoint: "evaluation",
    body: { subject: admin, action: write, resource: archived },
    expect: { decision: true },
  },
  {
    level: "basic properties",
    name: "alice deletes softly: yes",
    endpoint: "evaluation",
    body: { ...whole, action: { name: "delete", properties: { soft: true } } },
    expect: { decision: true },
  },
  {
    level: "basic properties",
    name: "alice deletes for good: no",
    endpoint: "evaluation",
    body: { ...whole, action: { name: "delete", properties: { soft: false } } },
    expect: { decision: false },
  },
];

const BATCH: readonly Case[] = [
  {
    level: "batch core",
    name: "two resources, the rest given once",
    endpoint: "evaluations",
    body: { subject: alice, action: read, evaluations: [{ resource: one }, { resource: two }] },
    expect: { decisions: ["any", "any"] },
  },
  {
    level: "batch core",
    name: "two actions, answered in their order",
    endpoint: "evaluations",
    body: { subject: bob, resource: one, evaluations: [{ action: read }, { action: write }] },
    expect: { decisions: [true, false] },
  },
  {
    level: "batch core",
    name: "nothing is given once",
    endpoint: "evaluations",
    body: { evaluations: [whole, { subject: bob, action: write, resource: one }] },
    expect: { decisions: [true, false] },
  },
  {
    level: "batch core",
    name: "a context given once, and another in its place",
    endpoint: "evaluations",
    body: {
      subject: alice,
      action: read,
      context: { time: context.time },
      evaluations: [{ resource: one }, { resource: two, context: { time: "2025-06-27T19:00-07:00", source: "batch-override" } }],
    },
    expect: { decisions: ["any", "any"] },
  },
  {
    level: "batch core",
    name: "one that is malformed is denied, the others are answered",
    endpoint: "evaluations",
    body: { subject: alice, action: read, options: { evaluations_semantic: "execute_all" }, evaluations: [{ resource: one }, {}] },
    expect: { decisions: [true, false] },
  },
  { level: "batch core", name: "without evaluations it is one question", endpoint: "evaluations", body: whole, expect: { decision: true } },
  { level: "batch core", name: "with none it is one question, too", endpoint: "evaluations", body: { ...whole, evaluations: [] }, expect: { decision: true } },
  {
    level: "batch properties",
    name: "properties of each resource",
    endpoint: "evaluations",
    body: { subject: alice, action: write, evaluations: [{ resource: active }, { resource: archived }] },
    expect: { decisions: [true, false] },
  },
  {
    level: "batch properties",
    name: "properties of each subject",
    endpoint: "evaluations",
    body: { action: write, resource: archived, evaluations: [{ subject: alice }, { subject: admin }] },
    expect: { decisions: [false, true] },
  },
  {
    level: "batch properties",
    name: "what an evaluation says replaces the whole of what was given once",
    endpoint: "evaluations",
    body: { subject: alice, action: write, resource: active, evaluations: [{}, { resource: archived }] },
    expect: { decisions: [true, false] },
  },
];

const user = { type: "user" };
const record = { type: "record" };
const readers = { subject: user, action: read, resource: one };
const readable = { subject: alice, action: read, resource: record };
const possible = { subject: alice, resource: one };

const SEARCH: readonly Case[] = [
  { level: "search core", name: "who may read record 1", endpoint: "subject", body: readers, expect: { include: ["alice", "bob"], only: "user" } },
  {
    level: "search core",
    name: "who may read record 1, in a context",
    endpoint: "subject",
    body: { ...readers, context },
    expect: { include: ["alice", "bob"], only: "user", same: "who may read record 1" },
  },
  {
    level: "search core",
    name: "who may read record 1, naming one of them",
    endpoint: "subject",
    body: { ...readers, subject: alice },
    expect: { include: ["alice", "bob"], only: "user", same: "who may read record 1" },
  },
  { level: "search core", name: "what alice may read", endpoint: "resource", body: readable, expect: { include: ["record-1"], only: "record" } },
  {
    level: "search core",
    name: "what alice may read, in a context",
    endpoint: "resource",
    body: { ...readable, context },
    expect: { include: ["record-1"], only: "record", same: "what alice may read" },
  },
  {
    level: "search core",
    name: "what alice may read, naming one of them",
    endpoint: "resource",
    body: { ...readable, resource: one },
    expect: { include: ["record-1"], only: "record", same: "what alice may read" },
  },
  { level: "search core", name: "what alice may do with record 1", endpoint: "action", body: possible, expect: { include: ["read", "write"] } },
  {
    level: "search core",
    name: "what alice may do with record 1, in a context",
    endpoint: "action",
    body: { ...possible, context },
    expect: { include: ["read", "write"], same: "what alice may do with record 1" },
  },
  {
    level: "search core",
    name: "what nobody knows may do nothing",
    endpoint: "action",
    body: { ...possible, subject: { type: "user", id: "nonexistent-user" } },
    expect: { empty: true },
  },
  {
    level: "search core",
    name: "what nobody knows may be read by nobody",
    endpoint: "subject",
    body: { ...readers, action: { name: "nonexistent" } },
    expect: { empty: true },
  },
  {
    level: "search core",
    name: "what nobody knows may read nothing",
    endpoint: "resource",
    body: { ...readable, subject: { type: "user", id: "nonexistent-user" } },
    expect: { empty: true },
  },
  {
    level: "search core",
    name: "of an unknown type there are no subjects",
    endpoint: "subject",
    body: { ...readers, subject: { type: "spaceship" } },
    expect: { empty: true },
  },
  {
    level: "search core",
    name: "of an unknown type there are no resources",
    endpoint: "resource",
    body: { ...readable, resource: { type: "spaceship" } },
    expect: { empty: true },
  },
  {
    level: "search core",
    name: "with an unknown type nothing can be done",
    endpoint: "action",
    body: { ...possible, resource: { type: "spaceship", id: "record-1" } },
    expect: { empty: true },
  },
  bad("search core", "subject", "a search of subjects without an action", { subject: user, resource: one }),
  bad("search core", "resource", "a search of resources without a subject", { action: read, resource: record }),
  bad("search core", "action", "a search of actions without a resource", { subject: alice }),
  bad("search core", "subject", "a search of subjects whose resource has no id", { subject: user, action: read, resource: record }),
  bad("search core", "resource", "a search of resources whose subject has no id", { subject: user, action: read, resource: record }),
  bad("search core", "action", "a search of actions whose subject has no id", { subject: user, resource: one }),
  {
    level: "search properties",
    name: "who may write what is archived",
    endpoint: "subject",
    body: { subject: user, action: write, resource: archived },
    expect: { include: ["bob"], only: "user" },
  },
  {
    level: "search properties",
    name: "what an admin may write",
    endpoint: "resource",
    body: { subject: admin, action: write, resource: record },
    expect: { include: ["record-2"], only: "record" },
  },
  {
    level: "search properties",
    name: "what an admin may do with what is archived",
    endpoint: "action",
    body: { subject: admin, resource: archived },
    expect: { include: ["write"] },
  },
];

/** What the certification asks, level by level; pages, headers and metadata are asked for by `conformance.ts`. */
export const CASES: readonly Case[] = [...BASIC, ...BATCH, ...SEARCH];
