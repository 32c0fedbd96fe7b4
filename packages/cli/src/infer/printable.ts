/** Text from outside, made safe to show: control, invisible and direction-changing characters are written as their code, and it ends somewhere. */
export function printable(text: unknown, most = 160): string {
  const shown = String(typeof text === "string" ? text : JSON.stringify(text)).replaceAll(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`,
  );
  return shown.length > most ? `${shown.slice(0, most - 1)}…` : shown;
}
