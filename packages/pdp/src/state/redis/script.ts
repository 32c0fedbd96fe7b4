import { createHash } from "node:crypto";
import { OF_TENANT } from "./tenant-rows.ts";

/** A Lua script and the name that a server knows it by. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

/**
 * A script that begins with what all of them share. Without the flag `no-writes` a server that became a replica, or that lost the replicas it was told to have,
 * refuses even those that only read: what is decided is decided on the primary.
 *
 * `mayExceedMemory`: runs on a server that is full as well, because it gives back, revokes or only reads.
 */
export function scriptOf(body: string, { mayExceedMemory = false, shared = OF_TENANT }: ScriptOptions = {}): Script {
  const source = `#!lua${mayExceedMemory ? " flags=allow-oom" : ""}\n${COMMON}\n${shared}\n${body}`;
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}

interface ScriptOptions {
  readonly mayExceedMemory?: boolean;
  /** What begins every script over the same keys. */
  readonly shared?: string;
}

/** How many entries one script handles of what piled up: each of them holds up every other client of the server. */
export const BATCH = 1000;

const COMMON = `
local MARGIN, SLACK = 3600000, 86400000

-- Whole numbers are exact in Lua up to 2^53; Lua's own 'tostring' would round them.
local function text(number) return string.format('%.17g', number) end

local time
local function serverNow()
  time = time or redis.call('TIME')[1] * 1000
  return time
end

-- An hour longer than anybody needs it, by two clocks; set a day further, so that it is rarely set again. All keys of a script end together: what one says of another
-- is true as long as there is either. A key that was emptied and filled again
-- is a new one, without an end.
local function keep(keepUntil)
  local needed = math.max(keepUntil, serverNow()) + MARGIN
  local ends, last = {}, 0
  for index, key in ipairs(KEYS) do
    ends[index] = redis.call('PEXPIRETIME', key)
    last = math.max(last, ends[index])
  end
  if last < needed then last = needed + SLACK end
  for index, key in ipairs(KEYS) do
    if ends[index] ~= -2 and ends[index] ~= last then redis.call('PEXPIREAT', key, text(last)) end
  end
end
`;
