/** Made once: what a stack trace costs is more than most decisions do. */
const failure = (what: string): Error => Object.freeze(new Error(what));

/** Why a policy cannot be evaluated for a request. Cedar leaves such a policy out and reports it. */
export const FAILURES: Readonly<Record<"type" | "absent" | "overflow" | "extension", Error>> = {
  type: failure("a value is of another type than the operator takes"),
  absent: failure("an entity, an attribute or a tag is not there"),
  overflow: failure("a number leaves 64 bits"),
  extension: failure("a text is not of the form that the extension type has"),
};

const ALL: ReadonlySet<unknown> = new Set<unknown>(Object.values(FAILURES));

/** Whether something thrown is a failure of the policy; anything else is one of the engine. */
export function isFailure(thrown: unknown): boolean {
  return ALL.has(thrown);
}
