import { AmbitError } from "@ambit/core";
import { checkedUrl, createTransport, whole } from "@ambit/core/pdp-client";
import { inTime } from "../in-time.ts";
import { checkedName, type SecretName } from "../secret-name.ts";
import { unavailable } from "../unavailable.ts";
import type { Vault } from "../vault.ts";
import { checkedNamespace, checkedPath, type BaoSecret, type OpenBaoOptions } from "./options.ts";
import { createRevocations } from "./revocations.ts";
import { createTakeOut } from "./secrets.ts";
import { createServer } from "./server.ts";
import { createSession } from "./session.ts";

export interface OpenBao extends Vault, AsyncDisposable {
  /** Revokes what is left, ends the token that was logged in for and with it whatever was made with it, and closes the connections. */
  close(): Promise<void>;
}

/**
 * The vault of an OpenBao or HashiCorp Vault server, over its HTTP API: KV version 2, and secrets that are made for each lease and revoked with it.
 * Fails closed: a server that is sealed, slow, away or that answers anything unexpected is `credential_unavailable` within the deadline, and the next lease asks anew.
 *
 * Throws `option_invalid` for an address that is not `https:`, and for options out of their bounds.
 */
export function openBao(options: OpenBaoOptions): OpenBao {
  const { address, auth, namespace, secretAt = defaultPlace, allowLoopback = false, onProblem = () => {}, now = Date.now } = options;
  const deadline = whole(options.deadline ?? 2000, "deadline", 1, 60_000);
  const mostBytes = whole(options.mostBytes ?? 1_048_576, "mostBytes", 1024, 33_554_432);
  const url = checkedUrl(address, allowLoopback);
  const transport = createTransport({ url, ca: options.ca, certificate: undefined, mostBytes, connections: 32 });
  if (auth.kind === "jwt") checkedPath((auth.mount ?? "jwt").split("/"), "option_invalid");
  const hear = (error: AmbitError): void => {
    try {
      onProblem(error);
    } catch {
      // What a listener throws is nobody's.
    }
  };
  const server = createServer(transport, namespace === undefined ? undefined : checkedNamespace(namespace));
  const session = createSession({ server, auth, deadline, onProblem: hear, now });
  const attempt = async (leaseId: string): Promise<void> => {
    // Not queued: when the server says so, it is done.
    await session.ask({ method: "POST", path: "sys/leases/revoke", body: { lease_id: leaseId, sync: true } }, AbortSignal.timeout(deadline));
  };
  const revocations = createRevocations({ attempt, onProblem: hear, now });
  const takeOut = createTakeOut({ server, session, revocations, deadline, onProblem: hear, now });
  const close = async (): Promise<void> => {
    await revocations.close();
    await session
      .end(AbortSignal.timeout(deadline))
      .catch((cause: unknown) => hear(unavailable("the token of the vault's server could not be ended", { cause })));
    transport.close();
  };

  return Object.freeze<OpenBao>({
    lease: async (asked, { version, signal } = {}) => {
      const name = checkedName(asked, "credential_unavailable");
      try {
        const secret = secretAt(name);
        if (secret === undefined) throw unavailable("the vault has no such secret");
        return await inTime(deadline, signal, (late) => takeOut(secret, version, late));
      } catch (error) {
        throw AmbitError.isInstance(error) && error.code === "credential_unavailable" ? error : unavailable("the vault cannot be asked", { cause: error });
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  });
}

/** INVARIANT I12: three parts that have no slash, each a part of the path. */
function defaultPlace({ tenant, connector, id }: SecretName): BaoSecret {
  return { kind: "kv", mount: "secret", path: checkedPath([tenant, connector, id], "credential_unavailable"), field: "value" };
}
