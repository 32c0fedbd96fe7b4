import type { Random } from "./random.ts";

// What somebody does to a presentation on its way, who has no key: each edit says what kind it is.

export type Edit = (texts: readonly string[], random: Random) => readonly unknown[];

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
export const TRICKS: readonly string[] = [
  ...["=", "==", "+", "/", " ", "\n", "\t", "\r\n", ".", "..", "\0", "%2E", "\u00a0", "\u200b", "\u202e", "\ufeff", "\u0391", "\uff21", "e\u0301"],
  ...["\ud800", "\udc00", "\u{1f600}"],
];
export const HEADER_MEMBERS: readonly string[] = [
  ...['"alg":"none"', '"alg":"EdDSA"', '"alg":"HS256"', '"alg":"ES256"', '"alg":"Ed25519"', '"alg":null', '"alg":["Ed25519"]', '"\\u0061lg":"none"'],
  ...['"typ":"JWT"', '"typ":"AAT+JWT"', '"typ":"aat+jwt"', '"typ":"aat-pop+jwt"', '"kid":"__proto__"', '"kid":{"$ne":null}', '"kid":"x"'],
  ...['"crit":["b64"],"b64":false', '"crit":[]', '"b64":false', '"zip":"DEF"', '"jku":"https://evil.example/"', '"x5c":["AAAA"]'],
  ...['"jwk":{"kty":"OKP","crv":"Ed25519","x":"AAAA"}', '"__proto__":{"alg":"none"}', '"constructor":1', '"n":1e999', '"n":9007199254740993', '"\ud800":1'],
];

/** Nested values of many levels; a part of them is cut off in the middle. */
export function bomb({ below, chance, pick }: Random): string {
  const levels = pick([2, 15, 31, 33, 65, 127, 1000, 9000]) + below(3);
  const [open, close] = pick([
    ["[", "]"],
    ['{"a":', "}"],
    ['{"constraint_type":"all","constraints":[', "]}"],
    ['{"constraint_type":"any","constraints":[', "]}"],
  ]) as [string, string];
  return `${open.repeat(levels)}0${chance(70) ? close.repeat(levels) : ""}`;
}

const bytesOf = (segment: string): Buffer => Buffer.from(segment, "base64url");
const encoded = (bytes: Buffer | string): string => Buffer.from(bytes as string).toString("base64url");
const spliced = (text: string, at: number, less: number, more: string): string => text.slice(0, at) + more + text.slice(at + less);

export function withBitFlipped(bytes: Buffer, { below }: Random): Buffer {
  const flipped = Buffer.from(bytes);
  const at = below(flipped.length);
  flipped[at] = (flipped[at] as number) ^ (1 << below(8));
  return flipped;
}

/** Another text for one of what is presented. */
function inOne(edit: (text: string, random: Random, texts: readonly string[]) => unknown): Edit {
  return (texts, random) => {
    const at = random.below(texts.length);
    return texts.map((text, index) => (index === at ? edit(text, random, texts) : text));
  };
}

/** Another segment in one of what is presented; `which` says what segment may be meant. */
function inSegment(edit: (segment: string, random: Random) => string, which: readonly number[] = [0, 1, 2]): Edit {
  return inOne((text, random) => {
    const at = random.pick(which);
    return text
      .split(".")
      .map((segment, index) => (index === at ? edit(segment, random) : segment))
      .join(".");
  });
}

/** A letter whose last bits hang over the last byte: the same bytes in another spelling, where there are such bits. */
function respelled(segment: string, { below }: Random): string {
  const last = LETTERS.indexOf(segment.at(-1) as string);
  return segment.slice(0, -1) + LETTERS[last ^ (1 + below(3))];
}

/** S + L for Ed25519, a zero before r or s, DER: second spellings of a signature, and what is none. */
function signatureLike(segment: string, { pick }: Random): string {
  const bytes = bytesOf(segment);
  const [r, s] = [bytes.subarray(0, 32), bytes.subarray(32)];
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const larger = (BigInt(`0x${Buffer.from(s).reverse().toString("hex")}`) + order).toString(16).padStart(64, "0");
  const der = Buffer.concat([Buffer.from([0x30, 68, 2, 32]), r, Buffer.from([2, 32]), s]);
  return encoded(
    pick([
      Buffer.alloc(64),
      Buffer.alloc(64, 0xff),
      Buffer.alloc(0),
      der,
      Buffer.concat([r, Buffer.from(larger.slice(-64), "hex").reverse()]),
      Buffer.concat([s, r]),
      Buffer.concat([bytes, bytes]),
      Buffer.concat([Buffer.alloc(1), r, Buffer.alloc(1), s]),
      bytes.subarray(0, 63),
      Buffer.concat([bytes, Buffer.alloc(1)]),
    ]),
  );
}

/** One more member, before or behind what is there, or JSON written with other spaces. */
function withMember(segment: string, { chance, pick }: Random): string {
  const text = bytesOf(segment).toString();
  if (chance(15)) return encoded(text.replace(":", pick([" :", ":\n", ":\u00a0"])));
  const member = pick(HEADER_MEMBERS);
  return encoded(chance(50) ? text.replace("{", `{${member},`) : text.replace(/\}$/, `,${member}}`));
}

export const EDITS: Readonly<Record<string, Edit>> = {
  "a bit": inSegment((segment, random) => encoded(withBitFlipped(bytesOf(segment), random))),
  "a letter": inOne((text, { below }) => spliced(text, below(text.length), 1, LETTERS[below(64)] as string)),
  "cut off": inOne((text, { below, chance }) => {
    const at = chance(50) ? below(text.length) : text.length - below(5);
    return chance(70) ? text.slice(0, at) : chance(50) ? text.slice(at) : spliced(text, at, 1 + below(9), "");
  }),
  "segments of others": inOne((text, { below, chance, pick }, texts) => {
    const own = text.split(".");
    const at = below(3);
    return chance(30) ? [own[1], own[0], own[2]].join(".") : own.map((segment, index) => (index === at ? pick(texts).split(".")[below(3)] : segment)).join(".");
  }),
  "another base64url": inSegment((segment, random) => {
    const { below, chance, pick } = random;
    if (chance(30)) return respelled(segment, random);
    if (chance(15)) return Buffer.from(segment, "base64url").toString("base64");
    return spliced(segment, chance(40) ? segment.length : below(segment.length), 0, pick(TRICKS));
  }),
  "another header": inSegment(withMember, [0]),
  "another payload": inSegment(
    (segment, { below, chance, pick }) => {
      const text = bytesOf(segment).toString();
      const digits = [...text.matchAll(/\d/g)].map(({ index }) => index);
      return encoded(chance(50) ? spliced(text, pick(digits), 1, String(below(10))) : spliced(text, below(text.length), below(4), pick(TRICKS)));
    },
    [1],
  ),
  "another signature": inSegment(signatureLike, [2]),
  "nested deeply": inSegment((_, random) => encoded(`{"alg":"Ed25519","typ":"aat+jwt","x":${bomb(random)}}`), [0, 0, 1]),
  "other tokens": (texts, { below, pick }) => {
    const [root, middle, leaf, proof] = texts as [string, string, string, string];
    return pick([
      [middle, leaf, proof],
      [root, leaf, proof],
      [root, middle, proof],
      [root, root, middle, leaf, proof],
      [root, leaf, middle, proof],
      [root, middle, leaf, leaf, proof],
      [root, middle, leaf, proof, proof],
      [root, middle, leaf, leaf],
      [proof],
      [root, middle, leaf, ""],
      [...Array.from({ length: below(40) }, () => root), proof],
    ]);
  },
  "no text": inOne((text, { pick }) => pick<unknown>([null, undefined, 0, {}, [], [text], Buffer.from(text), { toString: () => text, length: text.length }])),
};

/** Costly to make and to read, so there are fewer of them. */
export const LARGE_EDITS: Readonly<Record<string, Edit>> = {
  "a large part": inSegment((segment, { pick }) => {
    const filler = pick([" ", "x", '"a":1,', "[", '\\"', "😀"]).repeat(pick([10_000, 40_000]));
    return pick([segment + "A".repeat(60_000), encoded(`{${filler}}`), encoded(`{"alg":"Ed25519","typ":"aat+jwt","x":"${filler}"}`), ".".repeat(30_000)]);
  }),
};
