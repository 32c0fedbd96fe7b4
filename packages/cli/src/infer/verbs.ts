import type { Effect } from "@ambit/pdp";

/** What a verb says about a tool. */
export interface Verb {
  readonly base: string;
  readonly effect: Effect;
  /** Hands data to somebody else. */
  readonly sendsOutside: boolean;
  /** Hardly ever a noun, as `delete` and unlike `order`. */
  readonly isPlain: boolean;
}

/** How a verb stands in a text: `delete`, `deletes`, `deleting`, `deleted`. */
export type VerbForm = "base" | "third" | "gerund" | "participle";

const READ = `analyze analyse browse calculate check compare compute count describe detect diff discover enumerate estimate explain fetch
  find get glob grep identify inspect list locate look lookup ls measure observe peek preview query read retrieve scan search show stat
  summarize summarise validate view`;

const WRITE = `accept acknowledge activate add adjust allocate amend append apply approve archive assign attach book build change charge claim
  click close commit complete configure confirm connect consume copy create decline decrease deploy dequeue disable disconnect download draft
  edit enable evaluate eval exec execute extend fill flag follow generate grant import increase increment initialize insert install invoke join
  label leave link lock log login logout make mark merge modify move mute navigate open order patch pause pin press pull put react
  rebase record register reject rename renew reopen replace request reschedule reserve resolve restart restore resume review rotate run save
  schedule set sign snooze spawn star start stop store subscribe swap sync tag toggle trigger unarchive unassign unblock unfollow unlock unpin
  unstar unsubscribe update upgrade upsert vote write`;

const DESTRUCTIVE = `abort ban cancel clear deactivate delete deprovision destroy discard drop erase evict expel expunge flush kick kill
  overwrite prune purge remove reset revoke rm rollback shred shutdown terminate trash truncate uninstall unlink unpublish void wipe withdraw`;

/** All of these change something at somebody else's. */
const OUTSIDE = `announce broadcast buy deliver dispatch dm donate email export forward invite mail message notify pay post publish purchase
  push refund remit reply send share sms submit text transfer transmit tweet upload wire`;

/** Reading in a description only: `returns the balance` reads, but a tool named `return_order` acts. */
const DESCRIBES = "output return";

/** Not to be taken for nouns when they stand without an article. */
const PLAIN = `acknowledge activate add append approve assign cancel create deactivate decline delete destroy discard disable enable erase evict
  execute insert install modify notify overwrite publish purge reject remove rename revoke send submit terminate truncate uninstall unpublish
  wipe withdraw write`;

const IRREGULAR: Readonly<Record<string, readonly string[]>> = {
  build: ["built"],
  buy: ["bought"],
  find: ["found"],
  get: ["got", "gotten"],
  leave: ["left"],
  make: ["made"],
  overwrite: ["overwritten", "overwrote"],
  pay: ["paid"],
  put: ["put"],
  read: ["read"],
  run: ["run"],
  send: ["sent"],
  set: ["set"],
  show: ["shown"],
  withdraw: ["withdrawn"],
  write: ["written"],
};

const BY_BASE: ReadonlyMap<string, Verb> = new Map(
  (
    [
      [READ, "read", false],
      [DESCRIBES, "read", false],
      [WRITE, "write", false],
      [DESTRUCTIVE, "destructive", false],
      [OUTSIDE, "write", true],
    ] as const
  ).flatMap(([bases, effect, sendsOutside]) =>
    wordsOf(bases).map((base) => [base, { base, effect, sendsOutside, isPlain: wordsOf(PLAIN).includes(base) }] as const),
  ),
);

const BY_FORM: ReadonlyMap<string, readonly { readonly verb: Verb; readonly form: VerbForm }[]> = indexForms();

/** The verb that a word of a name is. Names carry bare verbs; `sent` in `get_sent_items` is none. */
export function verbNamed(word: string): Verb | undefined {
  return DESCRIBES.split(" ").includes(word) ? undefined : BY_BASE.get(word);
}

/** The verb that a word of a sentence is in this form. */
export function verbIn(word: string, form: VerbForm): Verb | undefined {
  return BY_FORM.get(word)?.find((entry) => entry.form === form)?.verb;
}

function wordsOf(list: string): readonly string[] {
  return list.split(/\s+/).filter((word) => word !== "");
}

function indexForms(): Map<string, { readonly verb: Verb; readonly form: VerbForm }[]> {
  const index = new Map<string, { readonly verb: Verb; readonly form: VerbForm }[]>();
  const add = (word: string, verb: Verb, form: VerbForm): void => void index.set(word, [...(index.get(word) ?? []), { verb, form }]);
  for (const verb of BY_BASE.values()) {
    const { base } = verb;
    add(base, verb, "base");
    add(/(?:s|sh|ch|x|z)$/.test(base) ? `${base}es` : /[^aeiou]y$/.test(base) ? `${base.slice(0, -1)}ies` : `${base}s`, verb, "third");
    for (const stem of stemsOf(base)) {
      add(`${stem}ing`, verb, "gerund");
      add(`${stem}ed`, verb, "participle");
    }
    if (/[^aeiou]y$/.test(base)) add(`${base.slice(0, -1)}ied`, verb, "participle");
    for (const participle of IRREGULAR[base] ?? []) add(participle, verb, "participle");
  }
  return index;
}

/** `cancel` has both `canceled` and `cancelled`: spelling differs, and words that do not exist do no harm. */
function stemsOf(base: string): readonly string[] {
  if (base.endsWith("e")) return [base.slice(0, -1)];
  return /[^aeiou][aeiou][^aeiouwxy]$/.test(base) ? [base, `${base}${base.at(-1)}`] : [base];
}
