import type { EntityJson, SchemaJson, TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";
import type { CedarRequest } from "../../../src/cedar/compiled/evaluator.ts";
import type { Random } from "../../../../core/test/deep/random.ts";

// A small world, so that policies, entities and requests meet, with every type that Cedar has and names that objects inherit.

type Json = unknown;
export interface TypeJson {
  readonly type: string;
  readonly name?: string;
  readonly element?: TypeJson;
  readonly attributes?: Readonly<Record<string, TypeJson>>;
  readonly required?: boolean;
}

const of = (type: string): TypeJson => ({ type });
const entity = (name: string): TypeJson => ({ type: "Entity", name });
const extension = (name: string): TypeJson => ({ type: "Extension", name });
const set = (element: TypeJson): TypeJson => ({ type: "Set", element });
const optional = (type: TypeJson): TypeJson => ({ ...type, required: false });
const record = (attributes: Readonly<Record<string, TypeJson>>): TypeJson => ({ type: "Record", attributes });

const USER = record({
  name: of("String"),
  age: of("Long"),
  manager: optional(entity("User")),
  friends: set(entity("User")),
  home: record({ city: of("String"), zip: optional(of("Long")) }),
  limit: optional(extension("decimal")),
  since: optional(extension("datetime")),
  ttl: optional(extension("duration")),
  address: optional(extension("ipaddr")),
});
const DOC = record(
  JSON.parse(
    '{"owner":{"type":"Entity","name":"User"},"open":{"type":"Boolean"},"labels":{"type":"Set","element":{"type":"String"}},"__proto__":{"type":"String","required":false},"constructor":{"type":"Long","required":false},"grid":{"type":"Set","element":{"type":"Set","element":{"type":"Long"}},"required":false},"color":{"type":"Entity","name":"Color","required":false}}',
  ) as Readonly<Record<string, TypeJson>>,
);
const READ = record({
  mfa: of("Boolean"),
  count: of("Long"),
  text: optional(of("String")),
  tags: optional(set(of("String"))),
  who: optional(entity("User")),
  input: optional(
    record(
      JSON.parse('{"amount":{"type":"Long"},"__entity":{"type":"String","required":false},"toString":{"type":"String","required":false}}') as Readonly<
        Record<string, TypeJson>
      >,
    ),
  ),
  now: optional(extension("datetime")),
  rate: optional(extension("decimal")),
  from: optional(extension("ipaddr")),
  many: optional(set(record({ a: of("Long"), b: optional(of("Boolean")) }))),
});
const WRITE = record({ mfa: of("Long"), bot: optional(entity("NS::Bot")) });

export const WORLD = {
  "": {
    entityTypes: {
      User: { memberOfTypes: ["Team"], shape: USER, tags: of("Long") },
      Team: { memberOfTypes: ["Team", "Org"], shape: record({ level: of("Long") }) },
      Org: {},
      Doc: { memberOfTypes: ["Folder"], shape: DOC, tags: set(of("String")) },
      Folder: { memberOfTypes: ["Folder"] },
      Color: { enum: ["red", "green"] },
    },
    actions: {
      all: {},
      reading: { memberOf: [{ id: "all" }] },
      read: { memberOf: [{ id: "reading" }], appliesTo: { principalTypes: ["User", "NS::Bot"], resourceTypes: ["Doc", "Color"], context: READ } },
      write: { memberOf: [{ id: "all" }], appliesTo: { principalTypes: ["User"], resourceTypes: ["Doc"], context: WRITE } },
    },
  },
  NS: { entityTypes: { Bot: { memberOfTypes: ["Team"], shape: record({ user: entity("User") }) } }, actions: {} },
} as unknown as SchemaJson<string>;

/** Attributes and tags of the entity types, and what they may be in. */
const ENTITY_TYPES: Readonly<Record<string, { readonly shape?: TypeJson; readonly tags?: TypeJson; readonly parents: readonly string[] }>> = {
  // What a group may be in, its members may be in as well.
  User: { shape: USER, tags: of("Long"), parents: ["Team", "Org"] },
  Team: { shape: record({ level: of("Long") }), parents: ["Team", "Org"] },
  Org: { parents: [] },
  Doc: { shape: DOC, tags: set(of("String")), parents: ["Folder"] },
  Folder: { parents: ["Folder"] },
  Color: { parents: [] },
  "NS::Bot": { shape: record({ user: entity("User") }), parents: ["Team"] },
};
const CONTEXTS: Readonly<Record<string, TypeJson>> = { read: READ, write: WRITE };

export const IDS: Readonly<Record<string, readonly string[]>> = {
  User: ["u0", "u1", "__proto__", "ü\u{1F600}"],
  Team: ["t0", "t1", "t2"],
  Org: ["o0"],
  Doc: ["d0", "d1", "constructor"],
  Folder: ["f0", "f1"],
  Color: ["red", "green"],
  "NS::Bot": ["b0", ""],
};
export const TEXTS = ["", "a", "ab", "aab", "*", "a*b", "\u{1F600}b", "__proto__", "t", "1"];
export const LONGS = [0, 1, -1, 2, 3, 7, 1000, 9_007_199_254_740_991, -9_007_199_254_740_991];
export const EXTENSION_TEXTS: Readonly<Record<string, readonly string[]>> = {
  decimal: ["0.0", "-0.0", "1.5", "1.50", "-1.0001", "922337203685477.5807", "-922337203685477.5808", "007.1"],
  datetime: ["2024-01-01", "2024-02-29T12:00:00Z", "1969-12-31T23:59:59.999Z", "2024-01-01T01:00:00.000+0100", "0000-01-01", "9999-12-31T23:59:59.999-2359"],
  duration: ["0ms", "1d", "-1d", "24h", "1d2h3m4s5ms", "9223372036854775807ms", "-9223372036854775808ms", "1m"],
  ipaddr: [
    "127.0.0.1",
    "10.0.0.0/8",
    "10.1.2.3/8",
    "10.1.2.3",
    "::1",
    "ff00::/8",
    "ff02::1",
    "2001:db8::/32",
    "224.0.0.1",
    "0.0.0.0/0",
    "::/0",
    "1:2:3:4:5:6:7:8",
  ],
};
const BAD_TEXTS: readonly string[] = [
  "",
  "1",
  "1.00000",
  "922337203685477.5808",
  "2023-02-29",
  "2024-13-01",
  "2024-01-01T24:00:00Z",
  "2024-01-01T00:00:60Z",
  "2024-01-01T00:00:00+2400",
  "2024-01-01T00:00:00",
  "1h1d",
  "1x",
  "-",
  "9223372036854775808ms",
  "1.2.3.04",
  "1.2.3.256",
  "1.2.3.4/33",
  "1.2.3.4/08",
  "::1/129",
  "::ffff:1.2.3.4",
  "1:2:3:4:5:6:7::8",
  "1::2::3",
  "12345::",
  "1.2.3.4/",
  "+1.0",
  "1.",
  ".5",
  "1.5\n",
];

function uidOf(random: Random, type: string): TypeAndId {
  return { type, id: random.pick(IDS[type] ?? ["x"]) };
}

/** A value of the type, in one of the forms that it may have as JSON. */
export function valueOf(random: Random, type: TypeJson): Json {
  const { pick, chance, below } = random;
  switch (type.type) {
    case "Boolean":
      return chance(50);
    case "Long":
      return pick(LONGS);
    case "String":
      return pick(TEXTS);
    case "Entity":
      return chance(80) ? { __entity: uidOf(random, type.name ?? "") } : uidOf(random, type.name ?? "");
    case "Extension":
      return extensionOf(random, type.name ?? "");
    case "Set":
      return Array.from({ length: chance(5) ? 40 : below(4) }, () => valueOf(random, type.element as TypeJson));
    default:
      return recordOf(random, type);
  }
}

function recordOf(random: Random, { attributes = {} }: TypeJson): Json {
  const members = Object.entries(attributes).filter(([, { required }]) => required !== false || random.chance(60));
  return Object.fromEntries(members.map(([name, attribute]) => [name, valueOf(random, attribute)]));
}

function extensionOf(random: Random, name: string): Json {
  const text = random.pick(EXTENSION_TEXTS[name] ?? []);
  const fn = name === "ipaddr" ? "ip" : name;
  const form = random.below(name === "datetime" ? 5 : 4);
  if (form === 0) return text;
  if (form === 1) return { fn, arg: text };
  if (form === 2) return { __extn: { fn, args: [text] } };
  if (form === 3) return { __extn: { fn, arg: text } };
  return { __extn: { fn: "offset", args: [{ __extn: { fn, arg: text } }, { __extn: { fn: "duration", arg: "1h" } }] } };
}

function entitiesOf(random: Random): EntityJson[] {
  const all = Object.entries(IDS).flatMap(([type, ids]) => ids.map((id) => ({ type, id })));
  // Parents stand further on in the list of their type, so that nothing is in itself.
  return random.some(all, 40).map((uid) => {
    const { shape, tags, parents } = ENTITY_TYPES[uid.type] ?? { parents: [] };
    const ids = (type: string): readonly string[] => (type === uid.type ? IDS[type]?.slice((IDS[type]?.indexOf(uid.id) ?? 0) + 1) : IDS[type]) ?? [];
    const attrs = shape === undefined ? {} : recordOf(random, shape);
    const tagged = tags === undefined || random.chance(30) ? {} : Object.fromEntries(random.some(TEXTS, 30).map((name) => [name, valueOf(random, tags)]));
    return {
      uid,
      attrs,
      parents: parents.flatMap((type) => random.some(ids(type), 40).map((id) => ({ type, id }))),
      ...(random.chance(20) ? {} : { tags: tagged }),
    } as EntityJson;
  });
}

/** A request that conforms to the schema, or, now and then, one that does not. */
export function requestOf(random: Random): CedarRequest {
  const action = random.pick(["read", "read", "write"]);
  const principal = action === "read" && random.chance(30) ? "NS::Bot" : "User";
  const request = {
    principal: uidOf(random, principal),
    action: { type: "Action", id: action },
    resource: uidOf(random, action === "read" && random.chance(20) ? "Color" : "Doc"),
    context: valueOf(random, CONTEXTS[action] as TypeJson) as object,
    entities: entitiesOf(random),
  };
  const [twin] = random.chance(5) ? request.entities : [];
  if (twin !== undefined) request.entities.push(random.chance(50) ? twin : { ...twin, parents: [] });
  return random.chance(25) ? (spoilt(random, request) as CedarRequest) : request;
}

/** What stands somewhere in a request for something else. Numbers beyond the safe range are left out: cedar-wasm takes what is left of them. */
function spoiltValue(random: Random): Json {
  return random.pick<() => Json>([
    () => null,
    () => 1.5,
    () => true,
    () => 0,
    () => "u0",
    () => "\ud800",
    () => [],
    () => [1, "a"],
    () => ({}),
    () => ({ __entity: uidOf(random, random.pick(Object.keys(IDS))) }),
    () => ({ __entity: { type: "Color", id: "blue" } }),
    () => ({ __entity: { type: "User" } }),
    () => ({ __extn: { fn: random.pick(["decimal", "ip", "datetime", "duration", "nothing", "__proto__"]), arg: random.pick(BAD_TEXTS) } }),
    () => ({ __extn: { fn: "offset", args: ["2024-01-01"] } }),
    () => ({ __expr: "1" }),
    () => random.pick(BAD_TEXTS),
    () => JSON.parse('{"__proto__":1}') as Json,
  ])();
}

const NAMES = ["extra", "__proto__", "constructor", "__entity", "__extn", "toString"];

/** Where a further member would be passed over by cedar-wasm and is refused by us: in what is no record of Cedar's. */
const isFixed = (json: object): boolean =>
  ["principal", "uid", "id", "__entity", "__extn", "fn"].some((name) => Object.hasOwn(json, name)) && !Object.hasOwn(json, "amount");

/** One place of a request changed, removed or added, wherever it is. */
function spoilt(random: Random, json: Json): Json {
  const isRequest = typeof json === "object" && json !== null && Object.hasOwn(json, "principal");
  if (typeof json !== "object" || json === null || (!isRequest && random.chance(15))) return spoiltValue(random);
  if (Array.isArray(json)) {
    if (json.length === 0 || random.chance(10)) return [...json, spoiltValue(random)];
    const at = random.below(json.length);
    return json.map((element, index) => (index === at ? spoilt(random, element) : element));
  }
  const entries = Object.entries(json);
  if (!isFixed(json) && (entries.length === 0 || random.chance(15))) return Object.fromEntries([...entries, [random.pick(NAMES), spoiltValue(random)]]);
  const at = random.below(entries.length);
  if (!isRequest && random.chance(20)) return Object.fromEntries(entries.filter((_, index) => index !== at));
  return Object.fromEntries(entries.map(([name, member], index) => [name, index === at ? spoilt(random, member) : member]));
}
