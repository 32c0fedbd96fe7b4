import type { ActionType, NamespaceDefinition, SchemaJson, TypeOfAttribute } from "@cedar-policy/cedar-wasm/nodejs";
import { isJsonObject, own } from "@ambit/core";
import type { AttributeType, UserModel } from "../directory/user-model.ts";
import type { Manifest, ToolEntry } from "../manifest/manifest.ts";
import { relationNames, type RelationModel } from "../relations/model.ts";
import { record, SHAPES, shapeOfObject, type Member, type Shape } from "./shape.ts";

/** Groups of actions, so that a policy can speak of all reads. A tool id has no colon, so no tool can be called like one. */
const CALL_GROUP = "ambit:call";

/** What Cedar is told: the schema, and how the context of each action is built. */
export interface CedarModel {
  readonly schema: SchemaJson<string>;
  /** By action name. */
  readonly contexts: ReadonlyMap<string, Shape>;
  readonly resourceTypes: ReadonlySet<string>;
}

/** What is known of users, agents and relations besides the manifest; each may be absent. */
export interface World {
  readonly users?: UserModel | undefined;
  readonly relations?: RelationModel | undefined;
}

const required = (shape: Shape): Member => ({ shape, isRequired: true, isNullable: false });
const optional = (shape: Shape): Member => ({ shape, isRequired: false, isNullable: true });

function entity(name: "Agent" | "User"): Shape {
  return {
    type: { type: "Entity", name },
    encode: (value) => {
      const id = isJsonObject(value) ? own(value, "id") : undefined;
      if (typeof id !== "string") throw new TypeError("expected an entity");
      return { __entity: { type: name, id } };
    },
  };
}

/** What every question has, so that a policy without an action can use it. */
const COMMON: readonly (readonly [string, Member])[] = [
  ["agent", required(entity("Agent"))],
  ["delegator", required(entity("User"))],
  ["tenant", required(SHAPES.string)],
  ["purpose", required(SHAPES.string)],
  // Seconds since the epoch.
  ["time", required(SHAPES.long)],
  [
    "task",
    required(
      record(
        new Map([
          ["id", required(SHAPES.string)],
          ["calls", required(SHAPES.long)],
          ["depth", required(SHAPES.long)],
          ["tools_used", required(SHAPES.strings)],
          ["previous_tool", optional(SHAPES.string)],
        ]),
      ),
    ),
  ],
  [
    "labels",
    required(
      record(
        new Map([
          ["integrity", required(SHAPES.string)],
          ["data_classes", required(SHAPES.strings)],
        ]),
      ),
    ),
  ],
];

const TOOL = required(
  record(
    new Map([
      ["effect", required(SHAPES.string)],
      ["sends_outside", required(SHAPES.boolean)],
      ["risk", required(SHAPES.long)],
      ["data_classes", required(SHAPES.strings)],
    ]),
  ),
);

const LIFECYCLE: readonly (readonly [string, Member])[] = [
  ["allowed_tools", required(SHAPES.strings)],
  ["may_delegate", required(SHAPES.strings)],
  ["data_classes", required(SHAPES.strings)],
];

/** Of the envelope that a renewal goes on from; absent where a task is new. */
const CONTINUES: readonly [string, Member] = [
  "continues",
  optional(record(new Map([...LIFECYCLE, ["purpose", required(SHAPES.string)], ["widens", required(SHAPES.boolean)]]))),
];

/**
 * The schema that a manifest amounts to: an action per tool, typed by its input schema. `attributes` are those that the policies use: a number that
 * none of them reads is not held to the four places of Cedar's decimal.
 */
export function cedarModel(manifest: Manifest, attributes: ReadonlySet<string>, world: World = {}): CedarModel {
  const contexts = new Map<string, Shape>();
  const resourceTypes = new Set(["Tool"]);
  const actions: Record<string, ActionType<string>> = {
    [CALL_GROUP]: {},
    "effect:read": { memberOf: [{ id: CALL_GROUP }] },
    "effect:write": { memberOf: [{ id: CALL_GROUP }] },
    "effect:destructive": { memberOf: [{ id: CALL_GROUP }] },
  };
  for (const entry of manifest.tools.values()) {
    const resourceType = entry.resource?.type ?? "Tool";
    const context = contextOf(entry, attributes, relationsTo(world, resourceType));
    contexts.set(entry.id, context);
    resourceTypes.add(resourceType);
    actions[entry.id] = {
      memberOf: [{ id: `effect:${entry.effect}` }],
      appliesTo: { principalTypes: ["User", "Agent"], resourceTypes: [resourceType], context: context.type },
    };
  }
  for (const [name, resourceType, further] of [
    ["ambit:begin", "Purpose", [CONTINUES]],
    ["ambit:hand_off", "Agent", []],
  ] as const) {
    const lifecycle = record(new Map([...COMMON, ...LIFECYCLE, ...further]));
    contexts.set(name, lifecycle);
    actions[name] = { appliesTo: { principalTypes: ["User", "Agent"], resourceTypes: [resourceType], context: lifecycle.type } };
  }
  return { schema: { "": { entityTypes: entityTypes(resourceTypes, world), actions } }, contexts, resourceTypes };
}

function contextOf(entry: ToolEntry, attributes: ReadonlySet<string>, relations: readonly (readonly [string, Member])[]): Shape {
  return record(new Map<string, Member>([...COMMON, ...relations, ["tool", TOOL], ["arguments", required(shapeOfObject(entry.inputSchema, attributes))]]));
}

/** What the principal, and what the delegator is to the resource: a truth value for every relation of its type, so that a misspelt relation does not type-check. */
function relationsTo({ relations }: World, resourceType: string): readonly (readonly [string, Member])[] {
  const names = relations === undefined ? [] : relationNames(relations, resourceType);
  if (names.length === 0) return [];
  const held = required(record(new Map(names.map((name) => [name, required(SHAPES.boolean)]))));
  return [
    ["relations", held],
    ["delegator_relations", held],
  ];
}

const ATTRIBUTES: { readonly [type in AttributeType]: Shape } = { string: SHAPES.string, long: SHAPES.long, boolean: SHAPES.boolean, strings: SHAPES.strings };

function entityTypes(resourceTypes: ReadonlySet<string>, { users }: World): NamespaceDefinition<string>["entityTypes"] {
  const roles = [...(users?.roles ?? [])];
  const described = Object.fromEntries([...(users?.attributes ?? [])].map(([name, type]) => [name, { ...ATTRIBUTES[type].type, required: false }]));
  const withAttributes = (
    ...names: readonly string[]
  ): { memberOfTypes: string[]; shape: { type: "Record"; attributes: Record<string, TypeOfAttribute<string>> } } => ({
    memberOfTypes: roles.length === 0 ? [] : ["Role"],
    shape: { type: "Record", attributes: { ...described, ...Object.fromEntries(names.map((name) => [name, { type: "String" as const }])) } },
  });
  return {
    // With the roles listed, a policy about one that nobody can have does not type-check; without roles there is none to speak of.
    ...(roles.length === 0 ? {} : { Role: { enum: roles } }),
    User: withAttributes("tenant"),
    Agent: withAttributes("tenant", "trust_zone"),
    Purpose: {},
    // Without a tenant: of the thing that an argument names nobody knows whose it is.
    ...Object.fromEntries([...resourceTypes].map((type) => [type, {}])),
  };
}
