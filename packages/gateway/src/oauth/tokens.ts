import { createHash, randomBytes } from "node:crypto";
import { own, type DocumentStore, type JsonObject } from "@ambit/core";

export type TokenKind = "code" | "access" | "refresh";

/** What a token stands for; which grant it is of, and until when it is good (milliseconds since the epoch). */
export interface TokenContent extends JsonObject {
  readonly tenant: string;
  readonly grant: string;
  readonly until: number;
}

/** Random values that stand for a grant. INVARIANT I10: only their digests are kept. */
export interface Tokens {
  issue(kind: TokenKind, content: TokenContent): Promise<string>;
  /** `undefined`: there is none of this kind, or its time is over. */
  read(kind: TokenKind, token: string): Promise<TokenContent | undefined>;
  /** Uses it up: of all who ask, in whichever process, one is the first. */
  spend(kind: TokenKind, token: string): Promise<{ readonly content: TokenContent; readonly isFirst: boolean } | undefined>;
}

/** One namespace for all: nobody knows the tenant of a token before it is found, and 256 random bits are nobody else's. */
const ALL = "oauth";
const LONGEST_TOKEN = 100;

export function createTokens(documents: DocumentStore, now: () => number): Tokens {
  const find = async (kind: TokenKind, token: string) => {
    if (token.length > LONGEST_TOKEN) return undefined;
    const stored = await documents.get(ALL, `oauth_${kind}`, digestOfToken(token));
    const content = stored?.content as TokenContent | undefined;
    return stored === undefined || content === undefined || content.until <= now() ? undefined : { version: stored.version, content };
  };
  return {
    issue: async (kind, content) => {
      const token = randomBytes(32).toString("base64url");
      if (!(await documents.put(ALL, `oauth_${kind}`, digestOfToken(token), content, 0, content.until))) throw new Error("a random value came twice");
      return token;
    },
    read: async (kind, token) => (await find(kind, token))?.content,
    spend: async (kind, token) => {
      const found = await find(kind, token);
      if (found === undefined) return undefined;
      const { content, version } = found;
      if (own(content, "spent") === true) return { content, isFirst: false };
      // What was written by somebody else since then was this very use.
      const isFirst = await documents.put(ALL, `oauth_${kind}`, digestOfToken(token), { ...content, spent: true }, version, content.until);
      return { content, isFirst };
    },
  };
}

function digestOfToken(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}
