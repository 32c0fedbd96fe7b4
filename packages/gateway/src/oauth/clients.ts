import { own, type Json } from "@ambit/core";
import { readMessage as readJson } from "@ambit/core/pdp-client";
import { createEgress } from "../egress/egress.ts";
import { readClientMetadata, type Client } from "./client.ts";
import type { ClientAccessOptions } from "./options.ts";
import type { Seal } from "./seal.ts";

export interface Clients {
  /** `undefined`: nobody knows it, or its document cannot be read or says something else. */
  find(id: string): Promise<Client | undefined>;
  /** RFC 7591. `undefined`: the metadata cannot be taken. */
  register(metadata: Json): Promise<Client | undefined>;
}

const LONGEST_ID = 3000;
const DOCUMENT = { maxResponseBytes: 10_240, deadline: 5000 } as const;

/**
 * Clients by the address of their metadata (Client ID Metadata Documents), or by registration. The id of a registered one is its sealed metadata: whoever registers, however often, leaves
 * nothing behind here.
 */
export function createClients(seal: Seal, { schemes = [], clientDocuments = {} }: Pick<ClientAccessOptions, "schemes" | "clientDocuments">): Clients {
  const documented = async (id: string): Promise<Client | undefined> => {
    const url = new URL(id);
    if (url.protocol !== "https:" || url.href !== id || url.pathname === "/" || url.hash !== "" || url.username !== "" || url.password !== "") return undefined;
    const egress = createEgress({ origins: [url.origin], ...DOCUMENT, ...clientDocuments });
    try {
      const response = await egress.fetch(id, { headers: { accept: "application/json" }, redirect: "error" });
      if (response.status !== 200) return undefined;
      const read = readJson(await response.text());
      // The document says whose it is, and has nothing that is a secret to both.
      if ("problem" in read || read.json === null || typeof read.json !== "object" || Array.isArray(read.json)) return undefined;
      const [stated, method, secret] = ["client_id", "token_endpoint_auth_method", "client_secret"].map(
        (name) => own(read.json as never, name) as Json | undefined,
      );
      if (stated !== id || (method !== undefined && method !== "none") || secret !== undefined) return undefined;
      const metadata = readClientMetadata(read.json, schemes);
      return metadata === undefined ? undefined : { id, host: url.host, ...metadata };
    } catch {
      return undefined; // out of reach, and so unknown
    } finally {
      await egress.close();
    }
  };
  return {
    find: async (id) => {
      if (id.length > LONGEST_ID) return undefined;
      if (URL.canParse(id)) return documented(id);
      const sealed = await seal.open("client", id);
      return sealed === undefined ? undefined : { id, host: undefined, ...(sealed as unknown as Pick<Client, "name" | "redirectUris">) };
    },
    register: async (metadata) => {
      const read = readClientMetadata(metadata, schemes);
      if (read === undefined) return undefined;
      const id = await seal.seal("client", { name: read.name, redirectUris: [...read.redirectUris] });
      return id.length > LONGEST_ID ? undefined : { id, host: undefined, ...read };
    },
  };
}
