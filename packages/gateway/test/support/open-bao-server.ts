// A server that answers as https://openbao.org/api-docs says: tokens with policies and an end, JWT login, KV version 2, database credentials with leases, response
// wrapping, namespaces, seal and standby. Time stands still until a test moves it.
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { jwtVerify, type CryptoKey } from "jose";

type Fields = Readonly<Record<string, unknown>>;

interface Token {
  readonly policies: readonly string[];
  expiresAt: number;
  readonly maxExpiresAt: number;
  readonly period: number;
}

interface DatabaseLease {
  readonly user: string;
  readonly token: string;
  expiresAt: number;
  readonly maxExpiresAt: number;
}

interface Wrapped {
  readonly path: string;
  readonly body: Fields;
  readonly expiresAt: number;
}

interface KvVersion {
  data: Fields | null;
  deletionTime: string;
  isDestroyed: boolean;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string | undefined;
  readonly namespace: string;
  readonly body: Fields;
}

class Refused extends Error {
  readonly status: number;
  readonly body: Fields;

  constructor(status: number, errors: readonly string[] = [], body: Fields = { errors }) {
    super(errors.join());
    this.status = status;
    this.body = body;
  }
}

const DENIED = ["permission denied"];

export interface BaoServerOptions {
  readonly namespace?: string;
  /** Who may log in as the role `gateway`, and what the token is good for. */
  readonly login?: {
    readonly key: CryptoKey;
    readonly audience: string;
    readonly lifetime: number;
    readonly mostLifetime: number;
    readonly policies?: readonly string[];
  };
  readonly tls?: { readonly cert: string; readonly key: string };
}

export class BaoServer {
  now = 1_800_000_000_000;
  isSealed = false;
  standbyOf: string | undefined;
  /** Answers of its own instead: what a broken server or a proxy says. */
  instead: ((asked: Asked) => { readonly status: number; readonly text: string } | undefined) | undefined;
  /** Resolves when an answer may go out. */
  hold: ((asked: Asked) => Promise<void>) | undefined;
  readonly asked: Asked[] = [];
  /** Users that the database has. */
  readonly users = new Set<string>();
  readonly leases = new Map<string, DatabaseLease>();
  readonly tokens = new Map<string, Token>([["root", { policies: ["root"], expiresAt: Infinity, maxExpiresAt: Infinity, period: 0 }]]);
  readonly #kv = new Map<string, KvVersion[]>();
  readonly #wrapped = new Map<string, Wrapped>();
  readonly #options: BaoServerOptions;
  readonly #server: Server;
  #count = 0;

  private constructor(options: BaoServerOptions) {
    this.#options = options;
    const { tls } = options;
    this.#server = tls === undefined ? createServer() : createTlsServer(tls);
    this.#server.on("request", (request: IncomingMessage, response) => {
      void this.#answer(request).then(({ status, text, headers }) => response.writeHead(status, { "content-type": "application/json", ...headers }).end(text));
    });
  }

  static async start(options: BaoServerOptions = {}): Promise<BaoServer> {
    const server = new BaoServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, "localhost", resolve));
    return server;
  }

  get address(): string {
    return `${this.#options.tls === undefined ? "http" : "https"}://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** How often something was asked. */
  count(path: string): number {
    return this.asked.filter((asked) => asked.path === path).length;
  }

  putSecret(path: string, data: Fields, deletionTime = ""): void {
    this.#kv.set(path, [...(this.#kv.get(path) ?? []), { data, deletionTime, isDestroyed: false }]);
  }

  deleteSecret(path: string): void {
    const latest = this.#kv.get(path)?.at(-1);
    if (latest !== undefined) latest.deletionTime = new Date(this.now).toISOString();
  }

  /** Revokes a token, and what was made with it. */
  revokeToken(id: string): void {
    this.tokens.delete(id);
    for (const [leaseId, lease] of this.leases) if (lease.token === id) this.revokeLease(leaseId);
  }

  revokeLease(id: string): void {
    this.users.delete(this.leases.get(id)?.user ?? "");
    this.leases.delete(id);
  }

  async #answer(request: IncomingMessage): Promise<{ readonly status: number; readonly text: string; readonly headers?: Readonly<Record<string, string>> }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const url = new URL(request.url ?? "/", "http://localhost");
    const { headers } = request;
    const header = (name: string): string | undefined => (typeof headers[name] === "string" ? headers[name] : undefined);
    const text = Buffer.concat(chunks).toString();
    const asked: Asked = {
      method: request.method ?? "",
      path: decodeURIComponent(url.pathname).replace("/v1/", ""),
      query: url.searchParams,
      token: header("x-vault-token"),
      namespace: header("x-vault-namespace") ?? "",
      body: text === "" ? {} : (JSON.parse(text) as Fields),
    };
    this.asked.push(asked);
    this.#expire();
    const instead = this.instead?.(asked);
    if (instead !== undefined) return instead;
    if (this.standbyOf !== undefined) return { status: 307, text: "", headers: { location: `${this.standbyOf}${request.url ?? ""}` } };
    try {
      const body = await this.#route(asked);
      await this.hold?.(asked);
      if (body === undefined) return { status: 204, text: "" };
      const wrapFor = header("x-vault-wrap-ttl");
      return { status: 200, text: JSON.stringify(wrapFor === undefined ? body : this.wrap(asked.path, body, Number(wrapFor))) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { status: error.status, text: JSON.stringify(error.body) };
    }
  }

  #expire(): void {
    for (const [id, lease] of this.leases) if (lease.expiresAt <= this.now) this.revokeLease(id);
    for (const [id, token] of this.tokens) if (token.expiresAt <= this.now) this.revokeToken(id);
    for (const [id, wrapped] of this.#wrapped) if (wrapped.expiresAt <= this.now) this.#wrapped.delete(id);
  }

  /** What `X-Vault-Wrap-TTL` makes of an answer. */
  wrap(path: string, body: Fields, lifetime = 60): Fields {
    const token = this.#random("hvs.wrap");
    this.#wrapped.set(token, { path, body, expiresAt: this.now + lifetime * 1000 });
    return this.#envelope({
      wrap_info: { token, accessor: this.#random("acc"), ttl: lifetime, creation_time: new Date(this.now).toISOString(), creation_path: path },
    });
  }

  /** A token as `auth/token/create` answers it. */
  newToken({
    policies = ["gateway"],
    lifetime = 3600,
    mostLifetime = 86_400,
  }: { readonly policies?: readonly string[]; readonly lifetime?: number; readonly mostLifetime?: number } = {}): Fields {
    const id = this.#random("hvs");
    const maxExpiresAt = this.now + mostLifetime * 1000;
    this.tokens.set(id, { policies, expiresAt: Math.min(this.now + lifetime * 1000, maxExpiresAt), maxExpiresAt, period: lifetime });
    return this.#auth(id);
  }

  async #route(asked: Asked): Promise<Fields | undefined> {
    if (this.isSealed) throw new Refused(503, ["Vault is sealed"]);
    if (asked.namespace !== (this.#options.namespace ?? "")) throw new Refused(404, ["no handler for route"]);
    const { method, path } = asked;
    if (path === "auth/jwt/login" && method === "POST") return this.#login(asked.body);
    if (path === "sys/wrapping/lookup" && method === "POST") {
      const wrapped = this.#wrapped.get(String(asked.body["token"]));
      if (wrapped === undefined) throw new Refused(400, ["wrapping token is not valid or does not exist"]);
      return this.#envelope({ data: { creation_path: wrapped.path, creation_time: new Date(this.now).toISOString(), creation_ttl: 60 } });
    }
    if (path === "sys/wrapping/unwrap" && method === "POST") {
      const id = asked.token ?? "";
      const wrapped = this.#wrapped.get(id);
      // In both places it is used twice.
      if (wrapped === undefined || asked.body["token"] !== undefined) throw new Refused(400, ["wrapping token is not valid or does not exist"]);
      this.#wrapped.delete(id);
      return wrapped.body;
    }
    const id = asked.token ?? "";
    const token = this.tokens.get(id);
    if (token === undefined) throw new Refused(403, DENIED);
    if (path === "auth/token/lookup-self") return this.#envelope({ data: { id, ttl: (token.expiresAt - this.now) / 1000, renewable: true } });
    if (path === "auth/token/renew-self") {
      token.expiresAt = Math.min(this.now + token.period * 1000, token.maxExpiresAt);
      return this.#auth(id);
    }
    if (path === "auth/token/revoke-self") return void this.revokeToken(id);
    const isAllowed =
      token.policies.includes("root") ||
      (token.policies.includes("gateway") && /^(?:secret\/data|database\/creds|sys\/leases)\//.test(path) && !path.includes("forbidden"));
    if (!isAllowed) throw new Refused(403, DENIED);
    const [mount, kind, ...rest] = path.split("/");
    if (mount === "secret" && kind === "data" && method === "GET") return this.#readKv(rest.join("/"), Number(asked.query.get("version") ?? "0"));
    if (mount === "database" && kind === "creds" && method === "GET") return this.#makeUser(path, id);
    if (path === "sys/leases/renew" && method === "POST") return this.#renewLease(asked.body);
    if (path === "sys/leases/revoke" && method === "POST") return void this.revokeLease(String(asked.body["lease_id"]));
    throw new Refused(method === "GET" || method === "POST" ? 404 : 405);
  }

  async #login({ role, jwt }: Fields): Promise<Fields> {
    const { login } = this.#options;
    if (login === undefined || role !== "gateway") throw new Refused(400, [`role "${String(role)}" could not be found`]);
    try {
      await jwtVerify(String(jwt), login.key, { audience: login.audience, currentDate: new Date(this.now) });
    } catch {
      throw new Refused(400, ["error validating token: invalid signature or claims"]);
    }
    return this.newToken({ lifetime: login.lifetime, mostLifetime: login.mostLifetime, policies: login.policies ?? ["gateway"] });
  }

  #readKv(path: string, version: number): Fields {
    const versions = this.#kv.get(path) ?? [];
    const number = version === 0 ? versions.length : version;
    const found = versions[number - 1];
    if (found === undefined) throw new Refused(404);
    const isDeleted = found.isDestroyed || (found.deletionTime !== "" && Date.parse(found.deletionTime) <= this.now);
    const metadata = {
      created_time: new Date(0).toISOString(),
      custom_metadata: null,
      deletion_time: found.deletionTime,
      destroyed: found.isDestroyed,
      version: number,
    };
    const body = this.#envelope({ data: { data: isDeleted ? null : found.data, metadata } });
    if (isDeleted) throw new Refused(404, [], body);
    return body;
  }

  #makeUser(path: string, token: string): Fields {
    const user = `v-jwt-${(this.#count += 1)}`;
    this.users.add(user);
    const leaseId = `${path}/${this.#random("lease")}`;
    this.leases.set(leaseId, { user, token, expiresAt: this.now + 60_000, maxExpiresAt: this.now + 150_000 });
    return this.#envelope({ lease_id: leaseId, renewable: true, lease_duration: 60, data: { username: user, password: `pass-${user}` } });
  }

  #renewLease({ lease_id: id }: Fields): Fields {
    const lease = this.leases.get(String(id));
    if (lease === undefined) throw new Refused(400, ["lease not found"]);
    lease.expiresAt = Math.min(this.now + 60_000, lease.maxExpiresAt);
    return this.#envelope({ lease_id: id, renewable: true, lease_duration: (lease.expiresAt - this.now) / 1000 });
  }

  #auth(id: string): Fields {
    const token = this.tokens.get(id) as Token;
    const lifetime = Math.floor((token.expiresAt - this.now) / 1000);
    return this.#envelope({
      auth: {
        client_token: id,
        accessor: this.#random("acc"),
        policies: token.policies,
        token_policies: token.policies,
        metadata: null,
        lease_duration: lifetime,
        renewable: true,
        entity_id: "",
        token_type: "service",
        orphan: true,
        num_uses: 0,
      },
    });
  }

  #envelope(fields: Fields): Fields {
    return {
      request_id: this.#random("req"),
      lease_id: "",
      renewable: false,
      lease_duration: 0,
      data: null,
      wrap_info: null,
      warnings: null,
      auth: null,
      ...fields,
    };
  }

  #random(prefix: string): string {
    return `${prefix}.${(this.#count += 1)}.${crypto.randomUUID()}`;
  }
}
