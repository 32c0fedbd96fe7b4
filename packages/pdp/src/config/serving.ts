import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import { AmbitError, isIdentifier } from "@ambit/core";
import type { ProofVerifier } from "@ambit/core/identity";
import type { Caller, Role } from "../server/callers.ts";
import type { FailedAttemptsOptions } from "../server/failed-attempts.ts";
import type { ServeOptions } from "../server/serve.ts";
import { parseIdentity } from "./identity.ts";
import type { SecurityEventOptions } from "../operation/security-event-route.ts";
import { Reader } from "./reader.ts";
import { parseSecurityEvents } from "./security-events.ts";

/** How the decision point is served, as it is configured. */
export interface Serving {
  readonly url: string;
  readonly callers: readonly Caller[];
  /** Whose tokens show which workload asks for an envelope; absent: no OAuth endpoints. */
  readonly workloads: ProofVerifier | undefined;
  /** Whose security events are taken; absent: no receiver. */
  readonly securityEvents: SecurityEventOptions | undefined;
  readonly failedAttempts: FailedAttemptsOptions | "unlimited";
  readonly serve: ServeOptions;
}

/** Refuses (`config_invalid`) another address, or whatever else cannot change while a process serves: only `callers`, `workloads`, `security_events` and what `tls` names can. */
export function checkSameServing(before: Serving, after: Serving): void {
  const fixed = ({ url, failedAttempts, serve: { tls: _, ...serve } }: Serving): object => ({ url, failedAttempts, serve });
  if (!isDeepStrictEqual(fixed(before), fixed(after)))
    throw new AmbitError("config_invalid", "only `callers`, `workloads`, `security_events` and `tls` can change while it serves; start another process");
}

const ROLES: readonly Role[] = ["enforce", "assert", "approve", "operate", "administer", "evaluate", "observe", "transmit"];

/**
 * Reads how a decision point is served: `{ "url", "port", "host"?, "tls"?: { "cert", "key", "client_ca"? }, "behind_proxy"?, "client_address"?, "failed_attempts"?, "workloads"?, "security_events"?, "callers": […] }`; the files of `tls` are named relative to `path`.
 * Refuses (`config_invalid`) unknown members, and callers that nobody could be. What they may be, `createPdpService` checks.
 */
export async function parseServing(data: unknown, path: string, now: () => number = Date.now): Promise<Serving> {
  const reader = new Reader("config_invalid", path, data).members(
    ["url", "port", "callers"],
    ["host", "tls", "behind_proxy", "client_address", "failed_attempts", "workloads", "security_events"],
  );
  const [host, tls, proxy, address] = [reader.at("host"), reader.at("tls"), reader.at("behind_proxy"), reader.at("client_address")];
  const file = async (part: Reader): Promise<string> => {
    try {
      return await readFile(resolve(dirname(path), part.text()), "utf8");
    } catch (error) {
      return AmbitError.isInstance(error) ? part.fail("must be a path") : part.fail("cannot be read");
    }
  };
  const callers = reader.at("callers").elements();
  if (callers.length === 0) reader.at("callers").fail("must name who may ask; nobody else can");
  return {
    url: reader.at("url").text(),
    callers: callers.map((caller) => readCaller(caller, now)),
    workloads: reader.at("workloads").isAbsent ? undefined : parseIdentity(reader.at("workloads"), now),
    securityEvents: reader.at("security_events").isAbsent ? undefined : parseSecurityEvents(reader.at("security_events"), now),
    failedAttempts: readFailedAttempts(reader.at("failed_attempts")),
    serve: {
      port: reader.at("port").count(),
      ...(host.isAbsent ? {} : { host: host.text() }),
      ...(proxy.isAbsent ? {} : { behindProxy: proxy.flag() }),
      ...(address.isAbsent ? {} : { addressHeader: address.text() }),
      ...(tls.isAbsent ? {} : { tls: await readTls(tls, file) }),
    },
  };
}

async function readTls(reader: Reader, file: (part: Reader) => Promise<string>): Promise<ServeOptions["tls"]> {
  const clientCa = reader.members(["cert", "key"], ["client_ca"]).at("client_ca");
  const [cert, key] = [await file(reader.at("cert")), await file(reader.at("key"))];
  const ca = clientCa.isAbsent ? undefined : await file(clientCa);
  try {
    createSecureContext({ cert, key, ...(ca === undefined ? {} : { ca }) });
  } catch {
    // What is said of a key may quote it.
    return reader.fail("must name a certificate, its key and certificates of an authority, as PEM");
  }
  return { cert, key, ...(ca === undefined ? {} : { clientCa: ca }) };
}

function readFailedAttempts(reader: Reader): Serving["failedAttempts"] {
  if (reader.isAbsent) return {};
  if (reader.value === "unlimited") return "unlimited";
  const [most, seconds] = [reader.members([], ["most", "seconds"]).at("most"), reader.at("seconds")];
  return { ...(most.isAbsent ? {} : { most: most.count() }), ...(seconds.isAbsent ? {} : { seconds: seconds.count() }) };
}

function readCaller(reader: Reader, now: () => number): Caller {
  const kind = reader.at("kind").oneOf("secret", "jwt", "mtls", "dpop");
  const own = { secret: [["digest"], []], jwt: [["identity", "subjects"], []], mtls: [[], ["fingerprints", "subjects"]], dpop: [["thumbprints"], []] } as const;
  reader.members(["kind", "name", "roles", "tenants", ...own[kind][0]], own[kind][1]);
  const tenants = reader.at("tenants");
  const rules = {
    name: reader.at("name").textThat(isIdentifier, "an id"),
    roles: reader
      .at("roles")
      .elements()
      .map((role) => role.oneOf(...ROLES)),
    tenants: tenants.value === "any" ? ("any" as const) : tenants.texts(isIdentifier, "the id of a tenant"),
  };
  if (kind === "secret") return { kind, ...rules, digest: reader.at("digest").text() };
  if (kind === "dpop")
    return {
      kind,
      ...rules,
      thumbprints: reader
        .at("thumbprints")
        .elements()
        .map((each) => each.text()),
    };
  const [subjects, fingerprints] = [reader.at("subjects"), reader.at("fingerprints")];
  if (kind === "mtls") {
    return {
      kind,
      ...rules,
      ...(fingerprints.isAbsent ? {} : { fingerprints: fingerprints.elements().map((each) => each.text()) }),
      ...(subjects.isAbsent ? {} : { subjects: subjects.elements().map((each) => each.text()) }),
    };
  }
  const named = (each: Reader): { readonly issuer: string; readonly subject: string } => {
    each.members(["issuer", "subject"]);
    return { issuer: each.at("issuer").text(), subject: each.at("subject").text() };
  };
  return { kind, ...rules, proofs: parseIdentity(reader.at("identity"), now), subjects: subjects.value === "any" ? "any" : subjects.elements().map(named) };
}
