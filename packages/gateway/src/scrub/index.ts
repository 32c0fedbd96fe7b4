/**
 * What keeps a leased credential out of results, errors, logs, spans and records.
 *
 * @module
 */
export { createScrubber, type Scrubber } from "./scrubber.ts";
