import type { JsonObject } from "@ambit/core";
import type { Attempt } from "./sign-in.ts";
import type { Places } from "./places.ts";
import type { Seal } from "./seal.ts";

/** How long somebody may take for signing in, and then for answering. */
export const PATIENCE = 600_000;
const KIND = "browser";
/** Browsers keep no larger ones. */
const LARGEST_COOKIE = 3800;

/** What the browser remembers of one sign-in, for which nothing is stored here. */
export interface Browser {
  /** `undefined`: it is more than a browser keeps. */
  remember(attempt: Attempt, content: JsonObject): Promise<string | undefined>;
  /** What this browser was told to remember under this name. Any other browser, and so any other page's form, has none. */
  recall(request: Request, state: string): Promise<{ readonly attempt: Attempt; readonly content: JsonObject } | undefined>;
  /** The cookie that makes it forget. */
  forget(state: string): string;
}

export function createBrowser(seal: Seal, { issuer }: Places): Browser {
  const isSecure = new URL(issuer).protocol === "https:";
  const nameOf = (state: string): string => `${isSecure ? "__Host-" : ""}ambit-${state}`;
  const cookie = (state: string, value: string, seconds: number): string =>
    `${nameOf(state)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`;
  return {
    remember: async (attempt, content) => {
      const sealed = await seal.seal(KIND, { attempt: { ...attempt }, content }, PATIENCE);
      return sealed.length > LARGEST_COOKIE ? undefined : cookie(attempt.state, sealed, PATIENCE / 1000);
    },
    recall: async (request, state) => {
      const pairs = (request.headers.get("cookie") ?? "")
        .split(/; ?/)
        .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)] as const);
      const found = pairs.filter(([name]) => name === nameOf(state));
      const [, value] = found[0] ?? [];
      if (value === undefined || found.length !== 1) return undefined;
      const opened = await seal.open(KIND, value);
      const remembered = opened as { readonly attempt: JsonObject & Attempt; readonly content: JsonObject } | undefined;
      return remembered?.attempt.state === state ? remembered : undefined;
    },
    forget: (state) => cookie(state, "", 0),
  };
}
