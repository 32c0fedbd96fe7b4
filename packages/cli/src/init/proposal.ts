import { isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import type { GrantUse, LogReport } from "@ambit/core/audit";
import { CliError } from "../cli-error.ts";

/** What is taken away from one agent or purpose. */
export interface Taken {
  readonly kind: "agent" | "purpose";
  readonly id: string;
  readonly kept: readonly string[];
  readonly removed: readonly string[];
}

/** A smaller configuration: what runs have used, and nothing else. */
export interface Proposal {
  readonly agents: JsonObject;
  readonly purposes: JsonObject;
  readonly taken: readonly Taken[];
  /** Agents and purposes that the log says nothing of; they are left as they are. */
  readonly unseen: readonly Pick<Taken, "kind" | "id">[];
}

/**
 * Narrows the ceilings of agents and the tools of purposes to what was permitted and used. It never adds a tool: what would have been refused is for a person to decide.
 * Throws `proposal_impossible` for a configuration that is not in the form of `ambit init`.
 */
export function proposalOf(agents: unknown, purposes: unknown, { granted }: LogReport): Proposal {
  const [registered, catalogue] = [entriesOf(agents, "agents"), entriesOf(purposes, "purposes")];
  const taken: Taken[] = [];
  const unseen: Pick<Taken, "kind" | "id">[] = [];

  const narrowAgent = ([id, entry]: Entry): Entry => {
    const uses = granted.filter(({ agent }) => agent === id);
    if (uses.length === 0) {
      unseen.push({ kind: "agent", id });
      return [id, entry];
    }
    const ceiling = own(entry, "ceiling");
    const before = isJsonObject(ceiling) ? ceiling : {};
    const called = new Set(uses.flatMap(calledTools));
    const handedOn = new Set(uses.flatMap(({ toHandOn }) => toHandOn.flatMap((one) => (one.handedOn > 0 && !called.has(one.tool) ? [one.tool] : []))));
    // An agent without a ceiling could have all that it was granted.
    const had = isJsonObject(ceiling) ? [...textsOf(before, "allowed_tools"), ...textsOf(before, "may_delegate")] : uses.flatMap(grantedTools);
    const [allowed, delegable] = [within(had, called), within(had, handedOn)];
    taken.push({ kind: "agent", id, kept: [...allowed, ...delegable], removed: without(had, [...allowed, ...delegable]) });
    return [id, { ...entry, ceiling: { ...before, allowed_tools: allowed, ...(delegable.length === 0 ? {} : { may_delegate: delegable }) } }];
  };

  const narrowPurpose = ([id, entry]: Entry): Entry => {
    const line = [id, ...descendants(catalogue, id)];
    const uses = granted.filter(({ purpose }) => line.includes(purpose));
    const untouched = line.filter((one) => !granted.some(({ purpose }) => purpose === one));
    if (uses.length === 0) {
      unseen.push({ kind: "purpose", id });
      return [id, entry];
    }
    const had = textsOf(entry, "tools");
    // What is below can only be smaller, and what nobody has run yet is left as it is.
    const needed = new Set([
      ...uses.flatMap((use) => [...calledTools(use), ...use.toHandOn.flatMap(({ tool, handedOn }) => (handedOn > 0 ? [tool] : []))]),
      ...untouched.flatMap((one) => (one === id ? [] : textsOf(catalogue.find(([other]) => other === one)?.[1] ?? {}, "tools"))),
    ]);
    const tools = within(had, needed);
    taken.push({ kind: "purpose", id, kept: tools, removed: without(had, tools) });
    return [id, { ...entry, tools }];
  };

  return {
    agents: { ...(agents as JsonObject), agents: Object.fromEntries(registered.map(narrowAgent)) },
    purposes: { ...(purposes as JsonObject), purposes: Object.fromEntries(catalogue.map(narrowPurpose)) },
    taken,
    unseen,
  };
}

type Entry = readonly [id: string, entry: JsonObject];

function entriesOf(data: unknown, member: string): readonly Entry[] {
  const entries = isJsonObject(data as Json) ? own(data as JsonObject, member) : undefined;
  if (!isJsonObject(entries)) throw new CliError("proposal_impossible", `the configuration has no \`${member}\` by id`);
  return Object.entries(entries).map(([id, entry]) => {
    if (!isJsonObject(entry)) throw new CliError("proposal_impossible", `an entry of \`${member}\` is no object`);
    return [id, entry];
  });
}

function descendants(catalogue: readonly Entry[], id: string): readonly string[] {
  const below = catalogue.flatMap(([other, entry]) => (own(entry, "parent") === id && other !== id ? [other] : []));
  return below.flatMap((other) => [other, ...descendants(catalogue, other)]);
}

function calledTools({ tools }: GrantUse): readonly string[] {
  return tools.flatMap(({ tool, calls }) => (calls > 0 ? [tool] : []));
}

function grantedTools({ tools, toHandOn }: GrantUse): readonly string[] {
  return [...tools.map(({ tool }) => tool), ...toHandOn.map(({ tool }) => tool)];
}

function textsOf(entry: JsonObject, member: string): readonly string[] {
  const list = own(entry, member);
  return Array.isArray(list) ? (list as readonly Json[]).filter((each): each is string => typeof each === "string") : [];
}

function within(tools: readonly string[], wanted: ReadonlySet<string>): readonly string[] {
  return [...new Set(tools.filter((tool) => wanted.has(tool)))].sort();
}

function without(tools: readonly string[], kept: readonly string[]): readonly string[] {
  return [...new Set(tools.filter((tool) => !kept.includes(tool)))].sort();
}
