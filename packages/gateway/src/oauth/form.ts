import { bytesOf } from "../front/bytes.ts";

/** What a request says by name. */
export interface Form {
  /** `undefined` where it is not there, or empty (RFC 6749 section 3.1). */
  one(name: string): string | undefined;
  all(name: string): readonly string[];
}

const MOST_BYTES = 65_536;
const FORM_TYPE = /^application\/x-www-form-urlencoded[ \t]*(?:;|$)/i;

/** `undefined`: a name comes twice that is not in `lists`, where two readers could read two things. */
export function readParameters(parameters: URLSearchParams, lists: readonly string[] = []): Form | undefined {
  const names = [...parameters.keys()];
  if (names.some((name) => !lists.includes(name) && parameters.getAll(name).length > 1)) return undefined;
  const given = (value: string | null): string | undefined => (value === null || value === "" ? undefined : value);
  return { one: (name) => given(parameters.get(name)), all: (name) => parameters.getAll(name) };
}

/** Reads the body of a POST. `undefined` as above, and for what is no form, or too large. */
export async function readForm(request: Request, lists: readonly string[] = []): Promise<Form | undefined> {
  if (!FORM_TYPE.test(request.headers.get("content-type") ?? "")) return undefined;
  const bytes = await bytesOf(request, MOST_BYTES);
  return typeof bytes === "string" ? undefined : readParameters(new URLSearchParams(Buffer.from(bytes).toString("utf8")), lists);
}
