import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttp, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTPayload } from "jose";

// An issuer as it is out there: its keys and tokens are jose's, its list is on a real server.

export const NOW = 1_760_000_000;
export const ISSUER = "https://login.example.com";
export const AUDIENCE = "https://ambit.example.com";

type SigningPart = Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];

export interface TestKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: SigningPart;
  /** As it is listed. */
  readonly jwk: JWK;
}

export async function testKey(alg: string, kid: string = alg, more: object = {}): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: "sig", ...more } };
}

export function jwks(...keys: readonly (TestKey | object)[]): string {
  return JSON.stringify({ keys: keys.map((key) => ("jwk" in key ? key.jwk : key)) });
}

export function idClaims(changes: object = {}): JWTPayload {
  return { iss: ISSUER, sub: "user_7f3a91", aud: AUDIENCE, iat: NOW - 10, exp: NOW + 300, tid: "tenant_acme", ...changes };
}

/** A token; `undefined` takes a member away. */
export function jwt(key: TestKey, claims: JWTPayload = idClaims(), header: object = {}): Promise<string> {
  const members = { alg: key.alg, kid: key.kid, typ: "JWT", ...header };
  return new SignJWT(plain(claims)).setProtectedHeader(plain(members) as never).sign(key.privateKey);
}

function plain<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

export interface TestServer {
  readonly url: string;
  readonly requests: () => number;
  answer: (response: ServerResponse, request: IncomingMessage) => void;
  readonly close: () => Promise<void>;
}

export function send(body: string | Buffer, type = "application/json", status = 200, headers: Record<string, string> = {}): TestServer["answer"] {
  return (response) => response.writeHead(status, { "content-type": type, ...headers }).end(body);
}

export async function serve(answer: TestServer["answer"], tls?: { readonly key: string; readonly cert: string }): Promise<TestServer> {
  let requests = 0;
  const listener: RequestListener = (request, response) => {
    requests++;
    running.answer(response, request);
  };
  const server = tls === undefined ? createHttp(listener) : createHttps(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const running: TestServer = {
    url: `${tls === undefined ? "http" : "https"}://${tls === undefined ? "127.0.0.1" : "localhost"}:${port}/jwks`,
    requests: () => requests,
    answer,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return running;
}

const OPENSSL = "openssl";

/** A certificate for `localhost` that nobody else has signed, or `undefined` where there is no OpenSSL to make one with. */
export function selfSigned(): { readonly key: string; readonly cert: string } | undefined {
  const folder = mkdtempSync(join(tmpdir(), "ambit-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  try {
    const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", key, "-out", cert];
    execFileSync(OPENSSL, ["req", "-x509", ...made, ...name], { stdio: "ignore" });
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
