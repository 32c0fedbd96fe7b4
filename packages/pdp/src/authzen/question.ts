import { isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import type { Deed, PolicyQuestion, Sought, Thing } from "./evaluator.ts";

/** Why a message is no question, in words for whoever sent it. */
class NotAQuestion extends Error {}

export function refuse(reason: string): never {
  throw new NotAQuestion(reason);
}

/** The words of what `refuse` threw; `undefined` for any other error. */
export function reasonOf(error: unknown): string | undefined {
  return error instanceof NotAQuestion ? error.message : undefined;
}

/** A member, where `null` says no more than that there is none. */
export function given(object: JsonObject, member: string): Json | undefined {
  return own(object, member) ?? undefined;
}

/** The message, which is an object (section 10.1.1). */
export function asObject(json: Json | undefined): JsonObject {
  return isJsonObject(json) ? json : refuse("the message is not an object");
}

export function readThing(message: JsonObject, member: "subject" | "resource"): Thing {
  const thing = objectIn(message, member);
  return { ...readSought(message, member), id: textIn(thing, "id", member) };
}

/** A thing that is looked for. Its `id` is ignored (section 8.4, 8.5). */
export function readSought(message: JsonObject, member: "subject" | "resource"): Sought {
  const thing = objectIn(message, member);
  return { type: textIn(thing, "type", member), ...propertiesOf(thing, member) };
}

export function readDeed(message: JsonObject): Deed {
  const action = objectIn(message, "action");
  return { name: textIn(action, "name", "action"), ...propertiesOf(action, "action") };
}

export function readContext(message: JsonObject): JsonObject {
  const context = given(message, "context") ?? {};
  return isJsonObject(context) ? withoutNull(context) : refuse("`context` is not an object");
}

/** A complete question. Members that it does not know are ignored. */
export function readQuestion(message: JsonObject): PolicyQuestion {
  return { subject: readThing(message, "subject"), action: readDeed(message), resource: readThing(message, "resource"), context: readContext(message) };
}

function objectIn(message: JsonObject, member: string): JsonObject {
  const value = given(message, member);
  if (value === undefined) return refuse(`\`${member}\` is missing`);
  return isJsonObject(value) ? value : refuse(`\`${member}\` is not an object`);
}

function textIn(object: JsonObject, member: string, of: string): string {
  const value = given(object, member);
  if (value === undefined) return refuse(`\`${of}.${member}\` is missing`);
  return typeof value === "string" ? value : refuse(`\`${of}.${member}\` is not text`);
}

function propertiesOf(object: JsonObject, of: string): { readonly properties?: JsonObject } {
  const properties = given(object, "properties");
  if (properties === undefined) return {};
  return isJsonObject(properties) ? { properties: withoutNull(properties) } : refuse(`\`${of}.properties\` is not an object`);
}

/** Section 10.1.1: what is null is as good as left out. */
function withoutNull(object: JsonObject): JsonObject {
  return Object.values(object).includes(null) ? Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null)) : object;
}
