import type { Feature, Harness } from "./harness.ts";

/** One behaviour that an adapter must have. */
export interface Case {
  readonly title: string;
  /** Why it cannot be looked at. */
  readonly skipped?: string | undefined;
  /** Rejects when the adapter does not behave so. */
  readonly run: () => Promise<void>;
}

/** Cases about one subject: the title is the beginning of each sentence. */
export interface Group {
  readonly title: string;
  readonly cases: readonly Case[];
}

/** Titles with what is to be done, for a group; a case of a feature that the framework has not is skipped for its reason. */
export function casesFor({ cannot = {} }: Harness): {
  readonly about: (title: string, run: () => Promise<void>) => Case;
  readonly needing: (feature: Feature, title: string, run: () => Promise<void>) => Case;
} {
  return { about: (title, run) => ({ title, run }), needing: (feature, title, run) => ({ title, run, skipped: cannot[feature] }) };
}
