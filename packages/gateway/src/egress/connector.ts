import { lookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { buildConnector } from "undici";
import type { Addresses } from "./addresses.ts";
import { failure, refused, unavailable } from "./failure.ts";

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

export interface ConnectorOptions {
  readonly addresses: Addresses;
  readonly resolve: Resolve | undefined;
  readonly ca: string | undefined;
}

/**
 * Opens connections, to checked addresses alone: the name is resolved once, every address of the answer is checked, and the connection goes to one of those, so that no second answer
 * of the DNS counts. Plain HTTP, which shows a credential to everybody on the way, reaches listed addresses alone.
 */
export function createConnector({ addresses, resolve = systemAddresses, ca }: ConnectorOptions): buildConnector.connector {
  const secure = through(addresses.mayReach);
  const plain = through(addresses.isListed);
  return (options, callback) => (options.protocol === "https:" ? secure : plain)(options, callback);

  function through(mayReach: (address: string) => boolean): buildConnector.connector {
    const connect = buildConnector({
      allowH2: false,
      autoSelectFamily: true,
      lookup: checked(resolve, mayReach),
      // Said here, a variable of the environment cannot turn it off.
      rejectUnauthorized: true,
      ...(ca === undefined ? {} : { ca }),
    });
    return (options, callback) => {
      // Node looks up names only: an address in the URL never gets to `lookup`.
      if (isIP(options.hostname) !== 0 && !mayReach(options.hostname)) callback(refused("the address of the host is not one that may be reached"), null);
      else connect(options, callback);
    };
  }
}

function checked(resolve: Resolve, mayReach: (address: string) => boolean): LookupFunction {
  const find = async (...[hostname, { all }, callback]: Parameters<LookupFunction>): Promise<void> => {
    let found: readonly string[];
    try {
      found = await resolve(hostname);
      if (found.length === 0) throw unavailable("the host has no address");
      // One address among others that must not be reached is a sign of rebinding, not a reason to take the next.
      if (!found.every(mayReach)) throw refused("an address of the host is not one that may be reached");
    } catch (error) {
      return callback(failure(error), "");
    }
    const answer = found.map((address) => ({ address, family: isIP(address) }));
    if (all === true) callback(null, answer);
    else callback(null, answer[0]?.address ?? "", answer[0]?.family);
  };
  return (hostname, options, callback) => void find(hostname, options, callback);
}

async function systemAddresses(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}
