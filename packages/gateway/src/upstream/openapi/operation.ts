import { AmbitError, definitionDigest, isToolId, own, type Json, type JsonObject } from "@ambit/core";
import { readCredentials, type Credentials } from "./credentials.ts";
import { asPart, listOf, Unsuitable, type Document, type Part } from "./document.ts";
import { readParameter, type Parameter } from "./parameter.ts";
import { readPathTemplate, type PathTemplate } from "./path-template.ts";
import { createRoom, isMember, readSchema, type Room } from "./schema.ts";

/** One operation of an API as a tool. */
export interface Operation {
  readonly name: string;
  readonly method: string;
  /** Whether it only reads, as its method says (RFC 9110 section 9.2.1). */
  readonly isSafe: boolean;
  readonly path: PathTemplate;
  /** What its arguments are, by their names; the body goes by the name `body`. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly body: { readonly mediaType: string; readonly isRequired: boolean } | undefined;
  /** The tool as it is listed. */
  readonly definition: JsonObject & { readonly name: string };
}

/** An operation of the document that is no tool here. */
export interface LeftOut {
  /** `*`: all of the path. */
  readonly method: string;
  readonly path: string;
  readonly why: string;
}

export interface Operations {
  readonly operations: readonly Operation[];
  readonly leftOut: readonly LeftOut[];
}

/** By the members that the document has for them. */
const METHODS: ReadonlyMap<string, string> = new Map([
  ["get", "GET"],
  ["put", "PUT"],
  ["post", "POST"],
  ["delete", "DELETE"],
  ["patch", "PATCH"],
]);
/** Their answers have nothing to show. */
const WITHOUT_ANSWER: readonly string[] = ["head", "options", "trace"];
const BODY = "body";
const LONGEST_DESCRIPTION = 4000;

/** The operations of a document, below the path of its server. Refuses (`option_invalid`) two of one name: which of them a decision was about nobody could tell. */
export function readOperations(document: Document, base: string): Operations {
  const credentials = readCredentials(document);
  const operations: Operation[] = [];
  const leftOut: LeftOut[] = [];
  for (const [path, given] of Object.entries(asPart(document.root["paths"]) ?? {})) {
    if (path[0] !== "/") continue; // an extension
    const attempt = (method: string, act: () => void): void => {
      try {
        act();
      } catch (error) {
        if (!Unsuitable.isInstance(error)) throw error;
        leftOut.push({ method, path, why: error.message });
      }
    };
    attempt("*", () => {
      const item = document.object(given);
      for (const method of [...METHODS.keys(), ...WITHOUT_ANSWER].filter((each) => Object.hasOwn(item, each)))
        attempt(method, () => void operations.push(readOperation({ document, credentials, base, path, method, item })));
    });
  }
  const seen = new Set<string>();
  for (const { name } of operations) {
    if (seen.has(name)) throw new AmbitError("option_invalid", `\`document\` has two operations with the name \`${name}\``);
    seen.add(name);
  }
  return { operations, leftOut };
}

interface Place {
  readonly document: Document;
  readonly credentials: Credentials;
  readonly base: string;
  readonly path: string;
  /** In lower case. */
  readonly method: string;
  readonly item: Part;
}

function readOperation(place: Place): Operation {
  const { document, base, path: template, method, item } = place;
  const part = document.object(item[method]);
  const verb = METHODS.get(method);
  if (verb === undefined) throw new Unsuitable("its method has no answer to show");
  if (Object.hasOwn(item, "servers") || Object.hasOwn(part, "servers")) throw new Unsuitable("it has a server of its own");
  const room = createRoom();
  const isSafe = method === "get";
  const path = readPathTemplate(base, template);
  const body = isSafe ? undefined : readBody(document, part, room);
  const parameters = named(readParameters(place, part, room), body !== undefined);
  const inPath = [...parameters.values()].filter((parameter) => parameter.place === "path").map((parameter) => parameter.name);
  if (inPath.length !== path.names.length || !inPath.every((name) => path.names.includes(name)))
    throw new Unsuitable("its path has other names than parameters");

  const name = nameOf(part["operationId"], method, template);
  const required = [...parameters].filter(([, { place: at, isRequired }]) => isRequired || at === "path").map(([argument]) => argument);
  const inputSchema: JsonObject = {
    type: "object",
    properties: {
      ...Object.fromEntries([...parameters].map(([argument, { schema }]) => [argument, schema])),
      ...(body === undefined ? {} : { [BODY]: body.schema }),
    },
    required: body?.isRequired === true ? [...required, BODY] : required,
    additionalProperties: false,
  };
  const description = [part["summary"], part["description"]].filter((text) => typeof text === "string" && text !== "").join("\n\n");
  const definition = {
    name,
    description: description.slice(0, LONGEST_DESCRIPTION).toWellFormed(),
    inputSchema,
    annotations: { readOnlyHint: isSafe, destructiveHint: !isSafe },
  };
  if (definitionDigest(definition) === undefined) throw new Unsuitable("what describes it is too large, or no plain data");
  return { name, method: verb, isSafe, path, parameters, body, definition };
}

/** Those of the operation, and those of its path that it does not say anew (section 4.8.10.1). */
function readParameters({ document, credentials, item }: Place, part: Part, room: Room): readonly Parameter[] {
  const found = new Map<string, unknown>();
  for (const list of [item["parameters"], part["parameters"]]) {
    const here = new Set<string>();
    for (const given of listOf(list)) {
      const { in: at, name } = document.object(given);
      const key = `${String(at)} ${String(name)}`;
      if (here.has(key)) throw new Unsuitable("a parameter comes twice");
      here.add(key);
      found.set(key, given);
    }
  }
  return [...found.values()].map((given) => readParameter(document, given, credentials, room)).filter((parameter) => parameter !== undefined);
}

/** A name that another parameter or the body has already is preceded by its place. */
function named(parameters: readonly Parameter[], hasBody: boolean): ReadonlyMap<string, Parameter> {
  const result = new Map<string, Parameter>();
  for (const parameter of parameters) {
    const isTaken = result.has(parameter.name) || (hasBody && parameter.name === BODY);
    const argument = isTaken ? `${parameter.place}_${parameter.name}` : parameter.name;
    if (result.has(argument) || !isMember(argument)) throw new Unsuitable("the name of a parameter cannot be that of an argument");
    result.set(argument, parameter);
  }
  checkExploded(parameters);
  return result;
}

/** Members of an object that stand in the query by their own names must not be taken for other parameters. */
function checkExploded(parameters: readonly Parameter[]): void {
  const names = parameters.filter(({ place }) => place === "query").map(({ name }) => name);
  const exploded = parameters.filter(({ style, explode }) => style === "form" && explode);
  const members = exploded.flatMap(({ schema }) => Object.keys(asPart(own(asPart(schema) as JsonObject, "properties")) ?? {}));
  if (new Set([...names, ...members]).size !== names.length + members.length) throw new Unsuitable("parts of its query have the same name");
}

function readBody(document: Document, part: Part, room: Room): { mediaType: string; isRequired: boolean; schema: Json } | undefined {
  if (!Object.hasOwn(part, "requestBody")) return undefined;
  const given = document.object(part["requestBody"]);
  const content = asPart(given["content"]) ?? {};
  const isRequired = given["required"] === true;
  const key =
    Object.keys(content).find((type) => /^application\/(?:[a-z0-9!#$&^_.-]+\+)?json$/.test(type)) ?? Object.keys(content).find((type) => type === "*/*");
  if (key === undefined) {
    if (isRequired) throw new Unsuitable("it takes a body that is not JSON");
    return undefined;
  }
  return { mediaType: key === "*/*" ? "application/json" : key, isRequired, schema: readSchema(document, document.object(content[key])["schema"] ?? {}, room) };
}

/** What the document calls it, where that can be the name of a tool; else its method and path. */
function nameOf(operationId: unknown, method: string, path: string): string {
  if (isToolId(operationId)) return operationId;
  const words = path.replaceAll(/\{([^{}/]+)\}/g, "by_$1").replaceAll(/[^A-Za-z0-9.-]+/g, "_");
  return `${method}${words.replace(/_$/, "")}`.slice(0, 128);
}
