import { own, type AmbitError, type JsonObject } from "@ambit/core";
import { unavailable } from "../unavailable.ts";
import { textOf, type BaoAuth, type TextSource } from "./options.ts";
import { bodyOf, millisecondsIn, objectIn, type BaoQuestion, type BaoServer } from "./server.ts";
import { unwrap } from "./wrapping.ts";

/** A token of the server's. */
interface Token {
  readonly token: string;
  /** Milliseconds since the epoch; Infinity for one that does not expire. */
  readonly expiresAt: number;
  /** From then on it is renewed before it is used. */
  readonly renewAt: number;
  readonly isRenewable: boolean;
}

export interface Session {
  /** Asks with a token. `until` is when that token ends, and with it whatever was made with it. Rejects with `credential_unavailable`. */
  ask(question: BaoQuestion, signal: AbortSignal): Promise<{ readonly body: JsonObject; readonly until: number }>;
  /** Ends the token that was logged in for, and everything that was made with it. */
  end(signal: AbortSignal): Promise<void>;
}

export interface SessionOptions {
  readonly server: BaoServer;
  readonly auth: BaoAuth;
  /** Milliseconds to log in. */
  readonly deadline: number;
  readonly onProblem: (error: AmbitError) => void;
  readonly now: () => number;
}

export function createSession({ auth, ...options }: SessionOptions): Session {
  return auth.kind === "token" ? withToken(auth.token, options.server) : withLogin({ auth, ...options });
}

function withToken(token: TextSource, server: BaoServer): Session {
  return Object.freeze<Session>({
    ask: async (question, signal) => ({ body: bodyOf(await server.ask({ ...question, token: await textOf(token) }, signal)), until: Infinity }),
    end: async () => {}, // it is somebody else's
  });
}

/** Logs in when a token is needed, once for all who wait; renews it in the second half of its life; logs in anew when it is not taken any more. */
function withLogin({ server, auth, deadline, onProblem, now }: SessionOptions & { readonly auth: Exclude<BaoAuth, { readonly kind: "token" }> }): Session {
  let known: Token | undefined;
  let refreshing: Promise<Token> | undefined;

  const tokenIn = (body: JsonObject, askedAt: number): Token => {
    const granted = objectIn(body, "auth");
    const [token, lifetime] = [own(granted, "client_token"), millisecondsIn(granted, "lease_duration")];
    if (typeof token !== "string" || token === "") throw unavailable("the vault's server answers a login without a token");
    const [expiresAt, renewAt] = lifetime === 0 ? [Infinity, Infinity] : [askedAt + lifetime, askedAt + lifetime / 2];
    return { token, expiresAt, renewAt, isRenewable: own(granted, "renewable") === true };
  };

  const login = async (signal: AbortSignal): Promise<Token> => {
    const askedAt = now();
    if (auth.kind === "jwt") {
      const body = { role: auth.role, jwt: await textOf(auth.jwt) };
      return tokenIn(bodyOf(await server.ask({ method: "POST", path: `auth/${auth.mount ?? "jwt"}/login`, body }, signal)), askedAt);
    }
    return tokenIn(await unwrap({ server, onProblem }, await textOf(auth.token), auth.createdAt ?? "auth/token/create", signal), askedAt);
  };

  const renew = async ({ token }: Token, signal: AbortSignal): Promise<Token> => {
    const askedAt = now();
    const renewed = tokenIn(bodyOf(await server.ask({ method: "POST", path: "auth/token/renew-self", token, body: {} }, signal)), askedAt);
    if (renewed.expiresAt === Infinity) throw unavailable("the token is as old as it can get");
    return renewed;
  };

  const refresh = async (): Promise<Token> => {
    const signal = AbortSignal.timeout(deadline);
    const last = known;
    if (last === undefined || !(now() < last.expiresAt)) return login(signal);
    const renewed = last.isRenewable ? await renew(last, signal).catch(() => undefined) : undefined;
    // What was wrapped opens once. While the last token is good, it does; it is tried again when half of what it has left is over.
    const next = renewed ?? (auth.kind === "jwt" ? await login(signal).catch(() => undefined) : undefined);
    return next ?? { ...last, renewAt: (now() + last.expiresAt) / 2 };
  };

  const current = async (): Promise<Token> => {
    if (known !== undefined && now() < known.renewAt) return known;
    refreshing ??= refresh().finally(() => (refreshing = undefined));
    return (known = await refreshing);
  };

  /** Whether a token that something was refused to is none any more, and not only without that permission. */
  const isOver = async ({ token }: Token, signal: AbortSignal): Promise<boolean> =>
    (await server.ask({ method: "GET", path: "auth/token/lookup-self", token }, signal)).status === 403;

  return Object.freeze<Session>({
    ask: async (question, signal) => {
      let used = await current();
      let answer = await server.ask({ ...question, token: used.token }, signal);
      if (answer.status === 403 && auth.kind === "jwt" && (await isOver(used, signal))) {
        if (known === used) known = undefined; // others may have a new one by now
        used = await current();
        answer = await server.ask({ ...question, token: used.token }, signal);
      }
      return { body: bodyOf(answer), until: used.expiresAt };
    },
    end: async (signal) => {
      const last = known;
      known = undefined;
      if (last !== undefined) bodyOf(await server.ask({ method: "POST", path: "auth/token/revoke-self", token: last.token, body: {} }, signal));
    },
  });
}
