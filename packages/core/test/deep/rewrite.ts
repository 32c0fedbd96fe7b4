import { bomb, HEADER_MEMBERS, TRICKS, withBitFlipped } from "./mutate.ts";
import type { Random } from "./random.ts";

// What somebody signs who has the key and is no issuer of good will: JSON text that is almost what it was.

interface Span {
  readonly at: number;
  readonly text: string;
}

interface Places {
  /** Member names, quotes included. */
  readonly names: readonly Span[];
  /** Texts, numbers and words that are values. */
  readonly literals: readonly Span[];
  /** Behind each opening brace. */
  readonly objects: readonly number[];
}

const LITERAL = /"(?:[^"\\]|\\.)*"(?=:)|("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null)/g;
const places = new Map<string, Places>();

/** Where something can be changed; the same few texts are asked for again and again. */
function placesOf(json: string): Places {
  const known = places.get(json);
  if (known !== undefined) return known;
  const matches = [...json.matchAll(LITERAL)];
  const span = (match: RegExpExecArray): Span => ({ at: match.index, text: match[0] });
  const found: Places = {
    names: matches.filter((match) => match[1] === undefined).map(span),
    literals: matches.filter((match) => match[1] !== undefined).map(span),
    objects: [...json.matchAll(/\{(?!\})/g)].map(({ index }) => index + 1),
  };
  places.set(json, found);
  return found;
}

const NUMBERS = [
  ...["1e999", "-1e999", "1e-400", "-0", "0.0", "0e0", "1.0", "1E3", "01", "+1", ".5", "1.", "0x10", "NaN", "Infinity", "1_000", "--1", "1e", "1704067500.0"],
  ...["1704067500.5", "17040675e2", "9007199254740992", "9007199254740993", "-9007199254740993", "1e308", "5e-324", "1.7976931348623159e308", "1e400000000"],
  ...["1704071100", "1704071099", "4294967296", "-1", "0", "1", "2", "8", "9", `1${"0".repeat(400)}`, `0.${"3".repeat(400)}`, `1e${"9".repeat(300)}`],
];
const VALUES = [
  ...["null", "true", "false", '""', '"x"', "[]", "{}", "[null]", '{"a":1}', '["t1"]', '"*"', '"constructor"', '"t1\\u0000"', '"\\ud800"', '"\\udc00\\ud800"'],
  ...['"aat+jwt"', '"2099-01-01T00:00:00Z"', '{"constraint_type":"wildcard"}', '{"constraint_type":"path","root":"/"}', '{"__proto__":{"optional":true}}'],
];
const INSERTED = [
  ...[
    '"__proto__":{}',
    '"constructor":1',
    '"toString":1',
    '"":0',
    '"\\u0000":0',
    '"x":1',
    '"optional":true',
    '"optional":"true"',
    '"*":{"constraint_type":"wildcard"}',
  ],
  ...['"alg":"none"', '"nbf":9999999999', '"type":"urn:ambit:envelope:1"', '"tools":{}', '"money":{"EUR":-1}', '"constraints":[]', '"min":1', '"d":"AAAA"'],
];

const spliced = (text: string, at: number, less: number, more: string): string => text.slice(0, at) + more + text.slice(at + less);
const replaced = (json: string, { at, text }: Span, by: string): string => spliced(json, at, text.length, by);
/** The same text in another spelling: one character written as an escape. */
const escaped = (quoted: string): string =>
  quoted.length < 3 ? quoted : spliced(quoted, 1, 1, `\\u${(quoted.codePointAt(1) as number).toString(16).padStart(4, "0")}`);

export type Rewrite = (json: string, random: Random) => string | Buffer;

export const REWRITES: Readonly<Record<string, Rewrite>> = {
  "a member twice": (json, { chance, pick }) => {
    const { at, text } = pick(placesOf(json).names);
    return spliced(json, at, 0, `${chance(40) ? escaped(text) : text}:${chance(50) ? pick(VALUES) : pick(NUMBERS)},`);
  },
  "a number": (json, { pick }) => replaced(json, pick(placesOf(json).literals), pick(NUMBERS)),
  "a value": (json, { pick }) => replaced(json, pick(placesOf(json).literals), pick(VALUES)),
  "another literal of it": (json, { pick }) => replaced(json, pick(placesOf(json).literals), pick(placesOf(json).literals).text),
  "a name": (json, { pick }) => replaced(json, pick(placesOf(json).names), pick([...placesOf(json).names.map(({ text }) => text), ...VALUES])),
  "a spelling": (json, { chance, pick }) => {
    const span = pick(chance(50) ? placesOf(json).names : placesOf(json).literals);
    return replaced(json, span, span.text[0] === '"' ? escaped(span.text) : ` ${span.text}\t`);
  },
  "a trick": (json, { below, pick }) => {
    const { at, text } = pick(placesOf(json).literals);
    return spliced(json, at + below(text.length), 0, pick(TRICKS));
  },
  "one more member": (json, { pick }) => spliced(json, pick(placesOf(json).objects), 0, `${pick(INSERTED)},`),
  "a member less": (json, { pick }) => {
    const { at } = pick(placesOf(json).names);
    return spliced(json, at, (/^"[^"]*":(?:"[^"]*"|[^,{}[\]]*|\[[^[\]]*\]|\{[^{}]*\}),?/.exec(json.slice(at))?.[0] ?? "").length, "");
  },
  "nested deeply": (json, random) => replaced(json, random.pick(placesOf(json).literals), bomb(random)),
  bytes: (json, random) => withBitFlipped(Buffer.from(json), random),
  "cut off": (json, { below }) => json.slice(0, below(json.length)),
  "something around it": (json, { pick }) =>
    pick([`\ufeff${json}`, `${json}x`, `[${json}]`, ` ${json}\n`, `${json}${json}`, `${json}\0`, JSON.stringify(json)]),
};

/** As large as a token may be, and larger: of each kind one that grows in another way. */
export const LARGE_REWRITES: Readonly<Record<string, Rewrite>> = {
  "many members": (json, { pick }) => {
    const members = Array.from({ length: pick([300, 1023, 1025, 4000]) }, (_, index) => `"m${index}":0,`).join("");
    return spliced(json, pick(placesOf(json).objects), 0, members);
  },
  "many values": (json, { pick }) => {
    const values = Array.from({ length: pick([900, 1100, 9000]) }, (_, index) => `${index}`).join(",");
    return spliced(json, pick(placesOf(json).literals).at, 0, pick([`${values},`, `[${values}],`]));
  },
  "many clauses": (json, { pick }) => {
    const clauses = Array.from({ length: pick([200, 500]) }, (_, index) => `{"constraint_type":"one_of","values":["x",${index}]}`).join(",");
    return json.replace(/\{"constraint_type":"(?:one_of|subset)"[^{}]*\}/, `{"constraint_type":"${pick(["any", "all"])}","constraints":[${clauses}]}`);
  },
  "many digits": (json, { pick }) => replaced(json, pick(placesOf(json).literals), pick(["1", "0.1", "1e1", "-1"]) + "0".repeat(pick([5000, 40_000]))),
  "a long text": (json, { pick }) => replaced(json, pick(placesOf(json).literals), `"${pick(["x", "\\u0061", "\\n", "é", "/a"]).repeat(pick([2000, 9000]))}"`),
};

/** Another header, as text. */
export function otherHeader(json: string, { chance, pick }: Random): string {
  const member = pick(HEADER_MEMBERS);
  return chance(50) ? json.replace("{", `{${member},`) : json.replace(/\}$/, `,${member}}`);
}
