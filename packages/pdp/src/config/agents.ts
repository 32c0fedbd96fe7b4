import { AmbitError, isIdentifier, isToolId, rulesOf, type ResourceConstraints, type Vocabulary } from "@ambit/core";
import { publicKey, type PublicKey } from "@ambit/core/token";
import { attributesOf, rolesOf, type Attributes, type UserModel } from "../directory/user-model.ts";
import { Reader } from "./reader.ts";

/** The most that an agent can ever have, whatever envelope it holds. */
export interface Ceiling {
  readonly allowedTools: ReadonlySet<string>;
  readonly mayDelegate: ReadonlySet<string>;
  readonly resourceConstraints: ResourceConstraints;
}

export interface Agent {
  readonly id: string;
  readonly trustZone: "first_party" | "third_party" | "vendor_runtime";
  readonly ceiling: Ceiling | "none";
  /** Thumbprints (RFC 7638) of the keys that its envelopes may be bound to. */
  readonly keys: ReadonlySet<string>;
  /** What policies know of it besides, of what is declared of users. */
  readonly roles: readonly string[];
  readonly attributes: Attributes;
}

const NOBODY: Pick<UserModel, "roles" | "attributes"> = { roles: new Set(), attributes: new Map() };

/** Who is registered. An agent that is not here gets nothing. */
export type Agents = ReadonlyMap<string, Agent>;

/** Reads the register of agents. Refuses (`config_invalid`) an agent without a ceiling; `"ceiling": "none"` says that it has none. */
export function parseAgents(data: unknown, vocabulary: Vocabulary, file = "the agents", users: Pick<UserModel, "roles" | "attributes"> = NOBODY): Agents {
  const agents = new Map<string, Agent>();
  const owners = new Map<string, string>();
  for (const [id, entry] of new Reader("config_invalid", file, data).members(["agents"]).at("agents").entries()) {
    if (!isIdentifier(id)) entry.fail("is not an id: visible ASCII, at most 256");
    entry.members(["trust_zone", "ceiling"], ["description", "keys", "roles", "attributes"]);
    const ceiling = entry.at("ceiling");
    agents.set(id, {
      id,
      trustZone: entry.at("trust_zone").oneOf("first_party", "third_party", "vendor_runtime"),
      ceiling: ceiling.value === "none" ? "none" : parseCeiling(ceiling, vocabulary),
      keys: new Set(parseKeys(entry.at("keys"), owners, id)),
      ...parseDescription(entry, users),
    });
  }
  return agents;
}

function parseDescription(reader: Reader, users: Pick<UserModel, "roles" | "attributes">): Pick<Agent, "roles" | "attributes"> {
  const [roles, attributes] = [reader.at("roles"), reader.at("attributes")];
  const known = roles.isAbsent ? [] : (rolesOf(users, roles.value) ?? roles.fail("must be a list of roles that `users` declares"));
  const described = attributes.isAbsent ? {} : attributesOf(users, attributes.object());
  if (typeof described === "string") return attributes.at(described).fail("is not declared by `users`, or not of its type");
  return { roles: known, attributes: described };
}

/** The keys of an agent. One key is one agent's: whoever holds it is that agent. */
function parseKeys(reader: Reader, owners: Map<string, string>, id: string): readonly string[] {
  if (reader.isAbsent) return [];
  return reader.elements().map((element) => {
    const { thumbprint } = readKey(element);
    const owner = owners.get(thumbprint);
    if (owner !== undefined && owner !== id) element.fail(`is the key of \`${owner}\`, too`);
    owners.set(thumbprint, id);
    return thumbprint;
  });
}

function readKey(reader: Reader): PublicKey {
  try {
    return publicKey(reader.value);
  } catch (error) {
    return reader.fail(`is not a public JWK: ${AmbitError.isInstance(error) ? error.message : "it cannot be read"}`);
  }
}

function parseCeiling(reader: Reader, vocabulary: Vocabulary): Ceiling {
  reader.members(["allowed_tools"], ["may_delegate", "resource_constraints"]);
  const mayDelegate = reader.at("may_delegate");
  const constraints = reader.at("resource_constraints");
  return Object.freeze({
    allowedTools: new Set(reader.at("allowed_tools").texts(isToolId, "a tool id")),
    mayDelegate: new Set(mayDelegate.isAbsent ? [] : mayDelegate.texts(isToolId, "a tool id")),
    resourceConstraints: constraints.isAbsent ? Object.freeze({}) : parseConstraints(constraints, vocabulary),
  });
}

function parseConstraints(reader: Reader, vocabulary: Vocabulary): ResourceConstraints {
  const entries = reader.entries().map(([key, value]) => {
    const kind = vocabulary.kinds.get(key);
    if (kind === undefined) return value.fail("is not in the vocabulary");
    const parsed = rulesOf(kind).parse(value.value);
    return parsed === undefined ? value.fail(`is not a value of kind \`${kind}\``) : ([key, parsed] as const);
  });
  return Object.freeze(Object.fromEntries(entries));
}
