// JSON once more, by the parser of the language and by counting: nothing of `src` is called.

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g;

/** Whether some object of well-formed JSON text names a member twice, however it is spelled. */
export function hasRepeatedMember(json: string): boolean {
  const around: Set<string>[] = [];
  let last = "";
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === "{" || token === "[") around.push(new Set());
    if (token === "}" || token === "]") around.pop();
    if (token === ":") {
      const name = JSON.parse(last) as string;
      if (around.at(-1)?.has(name) === true) return true;
      around.at(-1)?.add(name);
    }
    last = token;
  }
  return false;
}

/** Whether a value is what the language's own parser reads, but for numbers that are NaN because no double holds them exactly. */
export function isReadAs(value: unknown, parsed: unknown): boolean {
  if (typeof value === "number" && typeof parsed === "number") return Number.isNaN(value) || value === parsed;
  if (typeof value !== "object" || typeof parsed !== "object" || value === null || parsed === null) return value === parsed;
  if (Array.isArray(value) !== Array.isArray(parsed)) return false;
  const [left, right] = [Object.entries(value), Object.entries(parsed)];
  return left.length === right.length && left.every(([name, member], index) => right[index]?.[0] === name && isReadAs(member, right[index]?.[1]));
}

/** Whether every text in a value, names included, is whole: no half of a surrogate pair, no NUL. */
export function isWholeText(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed() && value.indexOf("\0") === -1;
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, member]) => isWholeText(name) && isWholeText(member));
}
