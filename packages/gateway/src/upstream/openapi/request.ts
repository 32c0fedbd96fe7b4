import { own, type Json, type JsonObject } from "@ambit/core";
import type { Operation } from "./operation.ts";
import { unfit, writeHeader, writeQuery, writeSegment } from "./written.ts";

/** A request as it goes out, without its credential. */
export interface OutgoingRequest {
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | undefined;
}

/**
 * The request that a call stands for. INVARIANT I4: all of it is written here from the decided arguments; what the operation does not have, lacks a required one, or would be read as something else is
 * refused (`argument_not_allowed`).
 */
export function toRequest({ path, parameters, body }: Operation, args: JsonObject): OutgoingRequest {
  const segments = new Map<string, string>();
  const query: string[] = [];
  const headers: (readonly [string, string])[] = [["accept", "application/json, application/*+json, text/plain;q=0.5"]];
  for (const name of Object.keys(args)) {
    if (!parameters.has(name) && !(name === "body" && body !== undefined)) throw unfit("the operation has no argument of one of these names");
  }
  for (const [argument, parameter] of parameters) {
    const value: Json | undefined = own(args, argument);
    if (value === undefined) {
      if (parameter.isRequired || parameter.place === "path") throw unfit(`\`${argument}\` is required`);
    } else if (parameter.place === "path") segments.set(parameter.name, writeSegment(parameter, value));
    else if (parameter.place === "query") query.push(...writeQuery(parameter, value));
    else headers.push([parameter.name, writeHeader(parameter, value)]);
  }
  const given = body && own(args, "body");
  if (given === undefined && body?.isRequired === true) throw unfit("`body` is required");
  if (given !== undefined) headers.push(["content-type", body?.mediaType ?? ""]);
  return {
    target: `${path.withTexts(segments)}${query.length === 0 ? "" : `?${query.join("&")}`}`,
    headers,
    body: given === undefined ? undefined : JSON.stringify(given),
  };
}
