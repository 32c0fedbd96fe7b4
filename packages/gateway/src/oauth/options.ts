import type { Budgets, DocumentStore, Pep, ResourceConstraints } from "@ambit/core";
import type { EgressOptions } from "../egress/egress.ts";

/** Whoever signed in at the organisation's provider. */
export interface User {
  readonly tenantId: string;
  readonly delegatorId: string;
  /** To be shown. */
  readonly name: string;
}

/** One thing that users may allow clients to work for. */
export interface OfferedPurpose {
  /** Of the catalogue. */
  readonly purpose: string;
  /** To be shown. */
  readonly title: string;
  /** Tool ids of the manifest, of which the user picks some, with what is shown for each. */
  readonly tools: Readonly<Record<string, string>>;
  /** The longest that a user may allow it for, in milliseconds. */
  readonly longest: number;
  readonly resourceConstraints: ResourceConstraints | ((user: User) => ResourceConstraints);
  readonly budgets?: Budgets | undefined;
}

/** The OpenID provider of the organisation, which knows the users. */
export interface SignInOptions extends Pick<EgressOptions, "allowPrivate" | "ca"> {
  /** `iss`, exactly. Of plain `http:` only where its address is one of `allowPrivate`. */
  readonly issuer: string;
  readonly clientId: string;
  /** Asked at each sign-in. @defaultValue the gateway is a public client there */
  readonly clientSecret?: (() => Promise<string>) | undefined;
  /** Further origins that its endpoints are at. @defaultValue that of `issuer` alone */
  readonly origins?: readonly string[] | undefined;
  /** @defaultValue `["openid"]` */
  readonly scopes?: readonly string[] | undefined;
  /**
   * Who somebody is by the claims of the ID token; `undefined`: nobody who may allow anything. The decision point is shown the token, and reads it by its own configuration: what
   * it reads differently begins no task.
   */
  readonly who: (claims: Readonly<Record<string, unknown>>) => User | undefined;
}

export interface ClientAccessOptions {
  /** The address of the MCP endpoint, as clients are given it. What it is for; the authorization server is at its origin. */
  readonly resource: string;
  /** The enforcement point of the agent that all these clients are. With a key, so that another replica can go on with a task. */
  readonly pep: Pep;
  readonly signIn: SignInOptions;
  readonly purposes: readonly OfferedPurpose[];
  /** 32 bytes that seal what passes through browsers, and the ids of clients that registered; the same in all replicas, and after a restart. @defaultValue made up */
  readonly sealKey?: Uint8Array | undefined;
  /** Where grants and the digests of tokens are kept. @defaultValue in this process */
  readonly documents?: DocumentStore | undefined;
  /** Milliseconds that an access token lives. @defaultValue 300,000 */
  readonly accessLifetime?: number | undefined;
  /** Schemes of the redirect addresses of apps (`cursor:`) beside those that have a dot, which RFC 8252 asks for. @defaultValue none */
  readonly schemes?: readonly string[] | undefined;
  /** For reading Client ID Metadata Documents. */
  readonly clientDocuments?: Pick<EgressOptions, "allowPrivate" | "ca" | "resolve"> | undefined;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}
