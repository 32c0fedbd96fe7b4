/** Enough for what a test run leaves behind; more is a cycle of getters. */
const MOST = 500_000;

/**
 * Every text in a value, wherever it stands: members that are not enumerable, symbols, keys, maps, sets, bytes and errors included. Getters are not called, except those that an
 * object inherits from a class of the application are not looked for at all.
 */
export function textsIn(value: unknown): string {
  const texts: string[] = [];
  const known = new Set<unknown>();
  const open: unknown[] = [value];
  for (let looked = 0; open.length > 0 && looked < MOST; looked++) {
    const next = open.pop();
    if (typeof next === "string") texts.push(next);
    else if (typeof next === "object" && next !== null && !known.has(next)) {
      known.add(next);
      if (ArrayBuffer.isView(next)) texts.push(new TextDecoder().decode(new Uint8Array(next.buffer, next.byteOffset, next.byteLength)));
      else open.push(...partsOf(next));
    }
  }
  return texts.join("\n");
}

function partsOf(value: object): readonly unknown[] {
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  if (value instanceof Set) return [...value];
  return Reflect.ownKeys(value).flatMap((key) => {
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    return [typeof key === "symbol" ? key.description : key, descriptor?.value as unknown];
  });
}
