import { AmbitError, copyData, isJsonObject, own, type ErrorCode, type Json, type JsonObject } from "@ambit/core";

/**
 * Reads JSON that a person wrote, or who is not trusted. Every complaint says where (`agents.json: agents.reviewer.ceiling`) and what to change;
 * members that nobody knows are complaints too, because a misspelt rule is a rule that does not hold.
 */
export class Reader {
  readonly #code: ErrorCode;
  readonly #file: string;
  readonly #path: string;
  readonly value: Json;

  constructor(code: ErrorCode, file: string, value: unknown, path = "") {
    this.#code = code;
    this.#file = file;
    this.#path = path;
    this.value = path === "" ? copyData(value, code, file, { depth: 64, nodes: 200_000, characters: 8_388_608 }) : (value as Json);
  }

  fail(reason: string): never {
    throw new AmbitError(this.#code, `${this.#file}${this.#path === "" ? "" : `: \`${this.#path}\``} ${reason}`);
  }

  object(): JsonObject {
    return isJsonObject(this.value) ? this.value : this.fail("must be an object");
  }

  /** Refuses members that are neither required nor optional, and required ones that are missing. */
  members(required: readonly string[], optional: readonly string[] = []): this {
    const object = this.object();
    const known = new Set([...required, ...optional]);
    for (const member of Object.keys(object)) {
      if (!known.has(member)) this.fail(`has the unknown member \`${member}\`; known are ${[...known].join(", ")}`);
    }
    for (const member of required) if (own(object, member) === undefined) this.fail(`needs the member \`${member}\``);
    return this;
  }

  /** A member, whether it is there or not. */
  at(member: string): Reader {
    return new Reader(this.#code, this.#file, own(this.object(), member), this.#path === "" ? member : `${this.#path}.${member}`);
  }

  get isAbsent(): boolean {
    return this.value === undefined;
  }

  entries(): readonly (readonly [string, Reader])[] {
    return Object.keys(this.object()).map((key) => [key, this.at(key)] as const);
  }

  elements(): readonly Reader[] {
    if (!Array.isArray(this.value)) return this.fail("must be a list");
    return (this.value as readonly Json[]).map((element, index) => new Reader(this.#code, this.#file, element, `${this.#path}[${index}]`));
  }

  text(): string {
    return typeof this.value === "string" && this.value !== "" ? this.value : this.fail("must be text");
  }

  /** Text that may be empty. */
  string(): string {
    return typeof this.value === "string" ? this.value : this.fail("must be text");
  }

  /** Text that `isValid` accepts. */
  textThat(isValid: (value: unknown) => value is string, what: string): string {
    return isValid(this.value) ? this.value : this.fail(`must be ${what}`);
  }

  texts(isValid: (value: unknown) => value is string, what: string): readonly string[] {
    return Object.freeze([...new Set(this.elements().map((element) => element.textThat(isValid, what)))].sort());
  }

  oneOf<const T extends string>(...values: readonly T[]): T {
    return values.find((value) => value === this.value) ?? this.fail(`must be one of ${values.map((value) => `\`${value}\``).join(", ")}`);
  }

  count(): number {
    return typeof this.value === "number" && Number.isSafeInteger(this.value) && this.value >= 0
      ? this.value
      : this.fail("must be a whole number of at least 0");
  }

  integer(): number {
    return typeof this.value === "number" && Number.isSafeInteger(this.value) ? this.value : this.fail("must be a whole number");
  }

  flag(): boolean {
    return typeof this.value === "boolean" ? this.value : this.fail("must be true or false");
  }
}
