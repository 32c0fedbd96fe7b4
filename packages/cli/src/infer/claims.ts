import { verbIn, type Verb, type VerbForm } from "./verbs.ts";
import { sentencesOf } from "./words.ts";

/** Something that a description says the tool does. */
export interface Claim {
  readonly verb: Verb;
  /** The words that say it. */
  readonly words: string;
  /** Said by the main clause of the first sentence, in the place where a description names what the tool is for. */
  readonly isHead: boolean;
  /** A verb that no list has: `refactors it`. */
  readonly isUnknown?: true;
}

type Tokens = readonly string[];

const list = (words: string): ReadonlySet<string> => new Set(words.split(" "));

const SUBJECTS = list("it this tool function method endpoint operation api action command utility call which that");
const DETERMINERS = list(
  "the a an its it them this that these those any all each every your their his her our one new existing multiple several given specified",
);
const MODALS = list("to will can may might must should could would you lets let allows allow enables enable helps help used able");
const FILLERS = list(
  "also then additionally optionally first finally is be being use used users user agents agent the a an and please note warning caution important",
);
const STOPS = list("is are was were will can may must should has have had of in on at by from for to with and or that which who whose if when as , / : ( )");
const AUXILIARIES = list("is are be being get gets");
/** After these a passive speaks of what may be found, not of what the tool does. */
const CONDITIONS = list(
  "if when whether unless where that which who whose only until must should can cannot could has have been was were before once not never without no",
);
const CONJUNCTIONS = list("and or then but /");
const HABITS = list("every daily hourly weekly monthly nightly yearly regularly periodically frequently continuously");
/** Nobody writes more in a row, except to keep us busy. */
const MAX_FILLERS = 16;
const PRONOUNS = list("it this");
const MANNERS = list(", by while");

/** Verbs whose passive is an event (`are deleted`) and not a state (`are ordered by date`). */
const EVENTS = list(
  "acknowledge add archive cancel change charge clear consume create deactivate delete dequeue discard email erase forward mark modify move notify overwrite " +
    "post publish purge remove reset revoke send submit terminate trash update upload wipe",
);

/**
 * What a description claims: its first sentence, verbs coordinated with it, and later sentences that go on about the tool
 * (`it also …`, `… are deleted`). Made to overlook no change rather than to raise no false alarm; a claim can only tighten.
 */
export function claimsOf(description: string): readonly Claim[] {
  return sentencesOf(description).flatMap((tokens, index) => [...activeClaims(tokens, index === 0), ...asideClaims(tokens)]);
}

function activeClaims(tokens: Tokens, isFirst: boolean): readonly Claim[] {
  const start = headOf(tokens, isFirst);
  if (start === undefined) return [];
  const { at, form } = start;
  const head = verbIn(tokens[at] ?? "", form);
  if (head === undefined) return [];
  return [{ verb: head, words: tokens[at] ?? "", isHead: isFirst }, ...coordinated(tokens, at, form)];
}

/** Where the verb of a sentence about the tool stands, behind `This tool can be used to` and the like. */
function headOf(tokens: Tokens, isFirst: boolean): { readonly at: number; readonly form: VerbForm } | undefined {
  let forms: readonly VerbForm[] = isFirst ? ["base", "third", "gerund"] : ["third"];
  // Behind a subject or `to`, a word that could be a noun is none.
  let isSure = false;
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? "";
    const form = forms.find((candidate) => verbIn(token, candidate) !== undefined && (isSure || !isNoun(tokens, at, candidate)));
    if (form !== undefined) return { at, form };
    isSure = SUBJECTS.has(token) || MODALS.has(token) || (isSure && FILLERS.has(token));
    if (SUBJECTS.has(token)) forms = ["third"];
    else if (MODALS.has(token)) forms = ["base"];
    else if (token === "also" || token === "additionally" || token === "then") forms = [...new Set<VerbForm>([...forms, "base"])];
    else if (token === "for") forms = ["gerund"];
    else if (!FILLERS.has(token) && !/^(?:[,:]|.+ly)$/.test(token)) return undefined;
  }
  return undefined;
}

/** `Order history` and `updates from the feed` are about things; `order the items` and `updates them` are not. */
function isNoun(tokens: Tokens, at: number, form: VerbForm): boolean {
  const next = tokens[at + 1];
  const verb = verbIn(tokens[at] ?? "", form);
  if (next === undefined) return form === "third" || verb?.isPlain !== true;
  if (verb?.effect === "read" || verb?.isPlain === true || form === "gerund") return false;
  if (next === "," || next === "/") return false;
  if (STOPS.has(next)) return next !== "and" && next !== "or" && next !== "to";
  return form === "base" && !DETERMINERS.has(next) && !next.endsWith("s") && !next.endsWith("ly");
}

/** The verbs that share a subject with the one at `from`, and what is done along the way (`…, removing it from the queue`). */
function coordinated(tokens: Tokens, from: number, form: VerbForm): readonly Claim[] {
  const found: Claim[] = [];
  let isVerbList = true;
  for (let at = from + 1; at < tokens.length; at += 1) {
    const token = tokens[at] ?? "";
    const next = skipFillers(tokens, at + 1);
    const word = tokens[next.at] ?? "";
    if (CONJUNCTIONS.has(token) || (isVerbList && token === ",")) {
      const wanted = next.hasModal ? "base" : form;
      const verb = verbIn(word, wanted);
      if (verb === undefined) {
        const isVerb = !STOPS.has(word) && !DETERMINERS.has(word) && DETERMINERS.has(tokens[next.at + 1] ?? "");
        if (isVerb) found.push({ verb: unknownVerb(word), words: `${token} ${word}`, isHead: false, isUnknown: true });
        continue;
      }
      if (next.hasModal || !isNoun(tokens, next.at, wanted)) found.push({ verb, words: `${token} ${word}`.replace(/^[,/] /, ""), isHead: false });
      at = next.at;
      continue;
    }
    if (token !== ",") isVerbList = false;
    const along = MANNERS.has(token) && DETERMINERS.has(tokens[next.at + 1] ?? "") ? verbIn(word, "gerund") : undefined;
    if (along !== undefined) found.push({ verb: along, words: word, isHead: false });
  }
  return found;
}

function skipFillers(tokens: Tokens, from: number): { readonly at: number; readonly hasModal: boolean } {
  let at = from;
  let hasModal = false;
  for (; at < Math.min(tokens.length, from + MAX_FILLERS); at += 1) {
    const token = tokens[at] ?? "";
    const isModal = MODALS.has(token);
    if (!isModal && !FILLERS.has(token) && !CONJUNCTIONS.has(token) && token !== "it" && !/.ly$/.test(token)) break;
    hasModal ||= isModal;
  }
  return { at, hasModal };
}

function unknownVerb(base: string): Verb {
  return { base, effect: "write", sendsOutside: false, isPlain: true };
}

/** What is said in passing, in any sentence: `the emails are marked`, `as it will overwrite existing files`. */
function asideClaims(tokens: Tokens): readonly Claim[] {
  const found: Claim[] = [];
  let isConditional = false;
  tokens.forEach((token, at) => {
    if (token === "," || token === ":") isConditional = false;
    if (CONDITIONS.has(token)) isConditional = true;
    if (isConditional) return;
    const next = skipFillers(tokens, at + 1);
    const word = tokens[next.at] ?? "";
    const passive = AUXILIARIES.has(token) && !HABITS.has(tokens[next.at + 1] ?? "") ? verbIn(word, "participle") : undefined;
    if (passive !== undefined && EVENTS.has(passive.base)) found.push({ verb: passive, words: `${token} ${word}`, isHead: false });
    const form = next.hasModal ? "base" : "third";
    const active = PRONOUNS.has(token) && at > 0 ? verbIn(word, form) : undefined;
    if (active !== undefined && (next.hasModal || !isNoun(tokens, next.at, form))) found.push({ verb: active, words: `${token} ${word}`, isHead: false });
  });
  return found;
}
