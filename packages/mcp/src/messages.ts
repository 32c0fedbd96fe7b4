/**
 * What of MCP's messages is decided, and how it is asked about: for enforcement points of other shapes than a transport, such as a gateway.
 *
 * @module
 */

export { metaOf, paramsOf, readMessage, type Message, type Request } from "./json-rpc.ts";
export { DECIDED_REQUESTS, DECIDED_SERVER_REQUESTS, isNameOfMethod, LISTS, type ListRule } from "./methods.ts";
export { PRESENTATION, toQuestion, type Question } from "./to-call.ts";
export { denial, refused } from "./to-outcome.ts";
