/** The words of a tool's or parameter's name: `getUserByID` and `get_user-by.ID` are both get, user, by, id. */
export function wordsOfName(name: string): readonly string[] {
  return name
    .split(/[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/)
    .filter((word) => word !== "")
    .map((word) => word.toLowerCase());
}

/** The parts of a name between dots, slashes, colons and double underscores: in `drive.files.list` the last one says what is done. */
export function segmentsOfName(name: string): readonly string[] {
  return name.split(/[./:]|__/).filter((segment) => segment !== "");
}

/** The sentences of a description as tokens: words in lower case, and marks that separate clauses. Code and quotations are the token `it`. */
export function sentencesOf(description: string): readonly (readonly string[])[] {
  return description
    .replaceAll(/`[^`\n]*`|"[^"\n]*"/g, " it ")
    .replaceAll(/\n(?![ \t]*(?:[-*#\n]|\d+\.))/g, " ")
    .split(/[.!?;]+(?:\s|$)|\n/)
    .map((sentence) => [...sentence.matchAll(/[A-Za-z]+(?:'[a-z]+)?|[,/:()]/g)].map(([token]) => token.toLowerCase()))
    .filter((tokens) => tokens.length > 0);
}
