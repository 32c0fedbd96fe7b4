import { isJsonObject, own, type Json } from "@ambit/core";
import type { Effect } from "@ambit/pdp";
import { claimsOf } from "./claims.ts";
import { closeSchema } from "./close-schema.ts";
import type { ToolFacts } from "./tool-facts.ts";
import { verbNamed, type Verb } from "./verbs.ts";
import { segmentsOfName, wordsOfName } from "./words.ts";

/** A guess, and what it rests on. An operator confirms it. */
export interface InferredEffect {
  readonly effect: Effect;
  readonly sendsOutside: boolean;
  /** In plain words; empty for none. */
  readonly reasons: readonly string[];
}

const ORDER: readonly Effect[] = ["read", "write", "destructive"];
const PROGRAMS = /^(?:sql|statement|script|command|cmd|shell|bash|python|javascript|js|argv|source_code|mutation)$/;
/** Programs only where the tool is said to run something. */
const RUNNABLE = /^(?:code|program|expression|snippet|query|input|text)$/;
const RUNS = /^(?:eval|evaluate|exec|execute|invoke|run|spawn)$/;
const GIVES_AWAY_CHANGE = /^(?:dry_?run|overwrite|force|confirm|confirmed|confirmation|idempotency_key|upsert|if_match)$/;
const ACTIONS = /^(?:action|operation|op|method|http_method|verb|command|mode|request_type)$/;
const DESTINATIONS = /(?:^|_)(?:urls?|uris?|webhooks?|endpoint|callback|domain|host|hostname)$/;
const RECIPIENTS =
  /^(?:to|cc|bcc|recipients?|recipient_.*|.*_recipients?|participants?|attendees?|invitees?|guests?|phone|phone_number|emails?|email_address|to_.*)$/;
const LASTING = /irreversibl|\b(?:cannot|can't|can not) be (?:undone|reversed|recovered)|\bpermanently\b/i;
const SIDE_EFFECT = /(?<!\b(?:no|any|without|zero) )\bside[- ]effects?\b(?!\W+no(?:ne)?\b)/i;

/**
 * Guesses the effect of a tool from its name, description, parameters and annotations, on the strict side: what nothing says to be a read is a
 * write that sends outside, and of two indications the stricter one counts. What a tool says of itself (`readOnlyHint`, HTTP `GET`) never makes
 * a read of something that its name or description says to be a change.
 */
export function inferEffect(tool: ToolFacts): InferredEffect {
  const ledger = createLedger();
  const runs = judgeWords(tool, ledger);
  judgeAnnotations(tool.annotations, ledger);
  judgeParameters(closeSchema(tool.inputSchema, tool.document).schema, runs, ledger);
  return ledger.result();
}

interface Ledger {
  readonly effect: () => Effect;
  /** Says what the tool is; later entries can only tighten. */
  raise(effect: Effect, reason: string): void;
  sends(reason: string): void;
  result(): InferredEffect;
}

function createLedger(): Ledger {
  let effect: Effect | undefined;
  let sendsOutside = false;
  const reasons: string[] = [];
  return {
    effect: () => effect ?? "read",
    raise: (next, reason) => {
      if (effect !== undefined && ORDER.indexOf(next) <= ORDER.indexOf(effect)) return;
      effect = next;
      reasons.push(reason);
    },
    sends: (reason) => {
      if (!sendsOutside && !reasons.includes(reason)) reasons.push(reason);
      sendsOutside = true;
    },
    result: () => ({ effect: effect ?? "write", sendsOutside, reasons }),
  };
}

/** Answers whether the tool is said to run something. */
function judgeWords({ name, description = "", method }: ToolFacts, ledger: Ledger): boolean {
  const verbs = verbsOfName(name);
  // `Returns the item to the shop` under the name `return_item` is no reading.
  const claims = claimsOf(description).filter(({ verb }) => verb.effect !== "read" || !wordsOfName(name).includes(verb.base) || verbs.length > 0);
  const isSaid = verbs.length > 0 || claims.some((claim) => claim.isHead) || method !== undefined;
  if (!isSaid) {
    ledger.raise("write", "nothing says what it does");
    ledger.sends("nothing says what it does");
  }
  const take = (verb: Verb, reason: string): void => {
    ledger.raise(verb.effect, reason);
    if (verb.sendsOutside) ledger.sends(reason);
  };
  for (const verb of verbs) take(verb, `the name says \`${verb.base}\``);
  for (const { verb, words, isUnknown } of claims) if (isUnknown !== true || verbs.length === 0) take(verb, `the description says \`${words}\``);
  if (method !== undefined) ledger.raise(effectOfMethod(method), `it is an HTTP ${method.toUpperCase()}`);
  if (SIDE_EFFECT.test(description)) ledger.raise("write", "the description speaks of a side effect");
  if (LASTING.test(description) && ledger.effect() !== "read") ledger.raise("destructive", "the description says that it cannot be undone");
  return [...verbs, ...claims.map(({ verb }) => verb)].some(({ base }) => RUNS.test(base));
}

/** The verb that a name leads with, and those that a conjunction adds (`get_or_create`, `read_write_file`). */
function verbsOfName(name: string): readonly Verb[] {
  for (const segment of segmentsOfName(name).toReversed()) {
    const words = wordsOfName(segment);
    const first = words.findIndex((word) => verbNamed(word) !== undefined);
    if (first === -1) continue;
    const lead = leadVerb(words, first);
    const others = words.flatMap((word, at) => {
      const verb = at > first ? verbNamed(word) : undefined;
      const isJoined = /^(?:and|or|then|to|n)$/.test(words[at - 1] ?? "") || (at === first + 1 && verb?.isPlain === true);
      return verb !== undefined && isJoined ? [verb] : [];
    });
    return [lead, ...others];
  }
  return [];
}

/** `check` looks and `check_out` acts. */
function leadVerb(words: readonly string[], first: number): Verb {
  const verb = verbNamed(words[first] ?? "") as Verb;
  const isPhrase = verb.effect === "read" && verb.base !== "look" && /^(?:in|out|off)$/.test(words[first + 1] ?? "");
  return isPhrase ? { ...verb, base: `${verb.base} ${words[first + 1]}`, effect: "write" } : verb;
}

function effectOfMethod(method: string): Effect {
  if (/^(?:get|head|options)$/i.test(method)) return "read";
  return /^delete$/i.test(method) ? "destructive" : "write";
}

function judgeParameters(schema: Json, runs: boolean, ledger: Ledger): void {
  const properties = isJsonObject(schema) ? own(schema, "properties") : undefined;
  const parameters = Object.entries(isJsonObject(properties) ? properties : {}).map(([parameter, property]) => ({
    name: wordsOfName(parameter).join("_"),
    choices: choicesOf(property),
    property,
    reason: `it has the parameter \`${parameter}\``,
  }));
  for (const { name, choices, property, reason } of parameters) {
    if (ACTIONS.test(name)) for (const action of choices) judgeAction(action, reason, ledger);
    if ((PROGRAMS.test(name) || (runs && RUNNABLE.test(name))) && choices.length === 0 && mayBeText(property)) {
      ledger.raise("destructive", `${reason}, which takes a program`);
      ledger.sends(`${reason}, which takes a program`);
    }
    if (GIVES_AWAY_CHANGE.test(name)) ledger.raise("write", reason);
  }
  for (const { name, reason } of parameters) {
    if (DESTINATIONS.test(name) || (ledger.effect() !== "read" && RECIPIENTS.test(name))) ledger.sends(reason);
  }
}

/** One tool for several actions is as strict as the strictest of them. */
function judgeAction(action: string, reason: string, ledger: Ledger): void {
  for (const verb of verbsOfName(action)) {
    if (verb.effect !== "read") ledger.raise(verb.effect, `${reason}, which can be \`${action}\``);
    if (verb.sendsOutside) ledger.sends(`${reason}, which can be \`${action}\``);
  }
}

function choicesOf(schema: Json): readonly string[] {
  if (!isJsonObject(schema)) return [];
  const choices = own(schema, "enum") ?? [own(schema, "const") ?? null];
  const alternatives = own(schema, "anyOf") ?? own(schema, "oneOf") ?? [];
  return [choices, ...(Array.isArray(alternatives) ? alternatives.map(choicesOf) : [])].flat().filter((choice): choice is string => typeof choice === "string");
}

/** Also when the schema does not say. */
function mayBeText(schema: Json): boolean {
  const type = isJsonObject(schema) ? own(schema, "type") : undefined;
  return type === undefined || type === "string" || type === "array" || Array.isArray(type);
}

/** Annotations are the server's own word, so they may only tighten. */
function judgeAnnotations(annotations: Json | undefined, ledger: Ledger): void {
  if (!isJsonObject(annotations)) return;
  const says = (hint: string, value: boolean): boolean => own(annotations, hint) === value;
  if (says("destructiveHint", true)) ledger.raise("destructive", "it is annotated with `destructiveHint`");
  if (says("readOnlyHint", false)) ledger.raise("write", "it is annotated as not read-only");
  if (says("openWorldHint", true)) ledger.sends("it is annotated with `openWorldHint`");
}
