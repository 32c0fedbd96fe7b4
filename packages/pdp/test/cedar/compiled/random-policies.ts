import type { Random } from "../../../../core/test/deep/random.ts";
import { EXTENSION_TEXTS, IDS, LONGS, TEXTS } from "./world.ts";

// Policies as text, of every construct of the language. Most expressions are of the type that is wanted, so that policies come to a decision; some are of any
// other, so that they fail.

type Kind = "bool" | "long" | "text" | "entity" | "texts" | "longs" | "entities" | "record" | "decimal" | "datetime" | "duration" | "ipaddr";
const KINDS: readonly Kind[] = ["bool", "long", "text", "entity", "texts", "longs", "entities", "record", "decimal", "datetime", "duration", "ipaddr"];
const ATTRIBUTES = [
  ...["name", "age", "manager", "friends", "home", "limit", "since", "ttl", "address", "owner", "open", "labels", "grid", "color", "user", "level"],
  ...[
    "mfa",
    "count",
    "text",
    "tags",
    "who",
    "input",
    "now",
    "rate",
    "from",
    "many",
    "city",
    "zip",
    "amount",
    "constructor",
    "__proto__",
    "toString",
    "__entity",
  ],
];
const EXTREMES = ["9223372036854775807", "(-9223372036854775808)", "9007199254740992", "9007199254740993", "4611686018427387904", "3037000500"];
const PATTERNS = ["*", "", "a*", "*b", "a*b", "*a*a*", "\\*", "a\\*b", "*\u{1F600}*", "**", "a*a"];

const quoted = (text: string): string => JSON.stringify(text);

function uid(random: Random, type: string = random.pick(Object.keys(IDS))): string {
  return `${type}::${quoted(random.pick(IDS[type] ?? [""]))}`;
}

const entityType = (random: Random): string => random.pick(Object.keys(IDS));

/** An expression of a kind; with less depth left, a simpler one. */
function expression(random: Random, wanted: Kind, depth: number): string {
  const kind = random.chance(3) ? random.pick(KINDS) : wanted;
  return depth <= 0 || random.chance(15) ? leaf(random, kind) : `(${BRANCHES[kind](random, depth - 1)})`;
}

function leaf(random: Random, kind: Kind): string {
  const { pick, chance, some } = random;
  switch (kind) {
    case "bool":
      return pick(["true", "false", "context.mfa", '(principal in Team::"t1")', "(resource is Doc)", "(principal is User)"]);
    case "long":
      return chance(20)
        ? pick(EXTREMES)
        : chance(40)
          ? pick(["principal.age", "context.count", "context.input.amount", 'resource["constructor"]'])
          : `(${pick(LONGS)})`;
    case "text":
      return chance(40) ? pick(["principal.name", "context.text", "principal.home.city", 'resource["__proto__"]']) : quoted(pick(TEXTS));
    case "entity":
      return pick(["principal", "resource", "action", "resource.owner", "principal.manager", "context.who", uid(random), 'Action::"read"']);
    case "texts":
      return pick(["resource.labels", "context.tags", `[${some(TEXTS, 30).map(quoted).join(", ")}]`]);
    case "longs":
      return `[${some(LONGS, 30).join(", ")}]`;
    case "entities":
      return pick(["principal.friends", `[${uid(random)}, ${uid(random)}]`, "[]", `[principal, ${uid(random, "Team")}]`]);
    case "record":
      return pick(["principal.home", "context", "context.input", '{"a": 1, "b": true}', "{}", '{"__proto__": 1}', '{"city": "a"}']);
    case "decimal":
      return chance(30) ? pick(["principal.limit", "context.rate"]) : `decimal(${quoted(pick(EXTENSION_TEXTS["decimal"] ?? []))})`;
    case "datetime":
      return chance(30) ? pick(["principal.since", "context.now"]) : `datetime(${quoted(pick(EXTENSION_TEXTS["datetime"] ?? []))})`;
    case "duration":
      return chance(30) ? "principal.ttl" : `duration(${quoted(pick(EXTENSION_TEXTS["duration"] ?? []))})`;
    default:
      return chance(30) ? pick(["principal.address", "context.from"]) : `ip(${quoted(pick(EXTENSION_TEXTS["ipaddr"] ?? []))})`;
  }
}

type Branch = (random: Random, depth: number) => string;

function conditional(kind: Kind): Branch {
  return (random, depth) => `if ${expression(random, "bool", depth)} then ${expression(random, kind, depth)} else ${expression(random, kind, depth)}`;
}

function attribute(random: Random, depth: number): string {
  const of = expression(random, random.pick(["entity", "record"] as const), depth);
  return random.chance(30) ? `${of}[${quoted(random.pick(ATTRIBUTES))}]` : `${of}.${random.pick(ATTRIBUTES.filter((name) => /^[a-z]+$/.test(name)))}`;
}

const oneOf =
  (...branches: readonly Branch[]): Branch =>
  (random, depth) =>
    random.pick(branches)(random, depth);

const binary =
  (operator: string, left: Kind, right: Kind = left): Branch =>
  (random, depth) =>
    `${expression(random, left, depth)} ${operator} ${expression(random, right, depth)}`;
const method =
  (name: string, of: Kind, argument?: Kind): Branch =>
  (random, depth) =>
    `${expression(random, of, depth)}.${name}(${argument === undefined ? "" : expression(random, argument, depth)})`;

const comparison: Branch = (random, depth) => {
  const kind = random.pick(KINDS);
  return `${expression(random, kind, depth)} ${random.pick(["==", "!="])} ${expression(random, kind, depth)}`;
};
const order: Branch = (random, depth) => {
  const kind = random.pick(["long", "long", "datetime", "duration"] as const);
  return `${expression(random, kind, depth)} ${random.pick(["<", "<=", ">", ">="])} ${expression(random, kind, depth)}`;
};
const has: Branch = (random, depth) => {
  const of = expression(random, random.pick(["entity", "record"] as const), depth);
  const path = random.chance(30) ? ["home", "zip"] : [random.pick(ATTRIBUTES)];
  return `${of} has ${path.length === 1 ? quoted(path[0] ?? "") : path.join(".")}`;
};
const chain: Branch = (random, depth) => {
  const operator = random.pick([" && ", " || "]);
  return Array.from({ length: 2 + random.below(3) }, () => expression(random, "bool", depth)).join(operator);
};
const sets = ["texts", "longs", "entities"] as const;
const inSets: Branch = (random, depth) => {
  const kind = random.pick(sets);
  return `${expression(random, kind, depth)}.${random.pick(["containsAll", "containsAny"])}(${expression(random, random.chance(90) ? kind : random.pick(sets), depth)})`;
};

const BRANCHES: Readonly<Record<Kind, Branch>> = {
  bool: oneOf(
    chain,
    chain,
    comparison,
    order,
    has,
    inSets,
    (random, depth) => `!${expression(random, "bool", depth)}`,
    binary("in", "entity"),
    binary("in", "entity", "entities"),
    (random, depth) => `${expression(random, "entity", depth)} is ${entityType(random)}`,
    (random, depth) =>
      `${expression(random, "entity", depth)} is ${entityType(random)} in ${expression(random, random.pick(["entity", "entities"] as const), depth)}`,
    (random, depth) => `${expression(random, "text", depth)} like "${random.pick(PATTERNS)}"`,
    method("contains", "texts", "text"),
    method("contains", "longs", "long"),
    method("contains", "entities", "entity"),
    method("isEmpty", "texts"),
    method("hasTag", "entity", "text"),
    (random, depth) => method(random.pick(["lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"]), "decimal", "decimal")(random, depth),
    (random, depth) => method(random.pick(["isIpv4", "isIpv6", "isLoopback", "isMulticast"]), "ipaddr")(random, depth),
    method("isInRange", "ipaddr", "ipaddr"),
    conditional("bool"),
    attribute,
  ),
  long: oneOf(
    (random, depth) => binary(random.pick(["+", "-", "*"]), "long")(random, depth),
    (random, depth) => `-${expression(random, "long", depth)}`,
    (random, depth) => `${leaf(random, "long")} + ${leaf(random, "long")} - ${expression(random, "long", depth)}`,
    method("getTag", "entity", "text"),
    (random, depth) => method(random.pick(["toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays"]), "duration")(random, depth),
    conditional("long"),
    attribute,
  ),
  text: oneOf(conditional("text"), attribute, (random) => leaf(random, "text")),
  entity: oneOf(conditional("entity"), attribute, (random) => leaf(random, "entity")),
  texts: oneOf(
    (random, depth) => `[${expression(random, "text", depth)}, ${expression(random, "text", depth)}]`,
    method("getTag", "entity", "text"),
    conditional("texts"),
  ),
  longs: oneOf((random, depth) => `[${expression(random, "long", depth)}, ${expression(random, "long", depth)}]`, conditional("longs")),
  entities: oneOf((random, depth) => `[${expression(random, "entity", depth)}, ${expression(random, "entity", depth)}]`, conditional("entities")),
  record: oneOf(
    (random, depth) => `{"a": ${expression(random, random.pick(KINDS), depth)}, "city": ${expression(random, "text", depth)}}`,
    conditional("record"),
    attribute,
  ),
  decimal: oneOf(
    conditional("decimal"),
    (random, depth) => `decimal(${expression(random, "text", depth)})`,
    (random) => leaf(random, "decimal"),
  ),
  datetime: oneOf(
    method("offset", "datetime", "duration"),
    method("toDate", "datetime"),
    (random, depth) => `datetime(${expression(random, "text", depth)})`,
    conditional("datetime"),
  ),
  duration: oneOf(method("durationSince", "datetime", "datetime"), method("toTime", "datetime"), conditional("duration")),
  ipaddr: oneOf(
    conditional("ipaddr"),
    (random, depth) => `ip(${expression(random, "text", depth)})`,
    (random) => leaf(random, "ipaddr"),
  ),
};

function target(random: Random, name: "principal" | "resource"): string {
  const types = name === "principal" ? ["User", "NS::Bot"] : ["Doc", "Color"];
  const [type, group] = [random.pick(types), uid(random, random.pick(["Team", "Org", "Folder", ...types]))];
  return random.pick([name, name, name, `${name} == ${uid(random, type)}`, `${name} in ${group}`, `${name} is ${type}`, `${name} is ${type} in ${group}`]);
}

const ACTIONS = [
  "action",
  "action",
  'action == Action::"read"',
  'action in Action::"reading"',
  'action in [Action::"write", Action::"reading"]',
  'action in Action::"all"',
];

export function policy(random: Random): string {
  const head = `${random.pick(["permit", "permit", "forbid"])} (${target(random, "principal")}, ${random.pick(ACTIONS)}, ${target(random, "resource")})`;
  const conditions = Array.from({ length: random.below(3) }, () => `${random.pick(["when", "unless"])} { ${expression(random, "bool", 1 + random.below(4))} }`);
  return `${head} ${conditions.join(" ")};`;
}
