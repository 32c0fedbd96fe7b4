import { isIdentifier } from "../data/names.ts";

/** A name as it is, where it is one; anything else in quotes, so that it cannot look like our own words. */
export function named(name: string | undefined): string {
  if (name === undefined) return "the tool";
  return isIdentifier(name) && !name.includes("`") ? `\`${name}\`` : JSON.stringify(name.slice(0, 256).toWellFormed());
}
