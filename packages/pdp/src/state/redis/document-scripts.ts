import { BATCH, scriptOf, type Script } from "./script.ts";

/**
 * What is kept of a collection, all of it in the hash slot of its tenant; ids are those of `orderKey`:
 *
 * - ENDS      sorted set: id, by when it may be dropped
 * - DOCUMENTS hash: id → version:content
 * - ORDER     sorted set in the order of bytes: id
 */
const shared = `
local ENDS, DOCUMENTS, ORDER = unpack(KEYS)

local function read(id)
  local version, content = string.match(redis.call('HGET', DOCUMENTS, id) or '', '^(%d+):(.*)$')
  return version or '0', content
end
`;

/** Id. Answers version and content, or nothing. */
export const GET_DOCUMENT: Script = scriptOf(
  `
local version, content = read(ARGV[1])
return content and { version, content } or false
`,
  { mayExceedMemory: true, shared },
);

/** Id, content, the version that it replaces, time. INVARIANT I5: of many who replace the same version one is answered 1. */
export const PUT_DOCUMENT: Script = scriptOf(
  `
local id, content, replaces, keepUntil = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if read(id) ~= replaces then return 0 end
redis.call('HSET', DOCUMENTS, id, text(tonumber(replaces) + 1) .. ':' .. content)
redis.call('ZADD', ORDER, 0, id)
redis.call('ZADD', ENDS, text(keepUntil), id)
keep(keepUntil)
return 1
`,
  { shared },
);

/** Id, length. Answers version, id and content of each: what an answer begins with is nobody's text. */
export const LIST_DOCUMENTS: Script = scriptOf(
  `
local reply = {}
for _, id in ipairs(redis.call('ZRANGEBYLEX', ORDER, '(' .. ARGV[1], '+', 'LIMIT', 0, ARGV[2])) do
  local version, content = read(id)
  table.insert(reply, version)
  table.insert(reply, id)
  table.insert(reply, content)
end
return reply
`,
  { mayExceedMemory: true, shared },
);

/** Time. Answers 1 when there may be more to drop. */
export const SWEEP_DOCUMENTS: Script = scriptOf(
  `
local ended = redis.call('ZRANGEBYSCORE', ENDS, '-inf', '(' .. ARGV[1], 'LIMIT', 0, ${BATCH})
for _, id in ipairs(ended) do
  redis.call('HDEL', DOCUMENTS, id)
  redis.call('ZREM', ORDER, id)
  redis.call('ZREM', ENDS, id)
end
return #ended == ${BATCH} and 1 or 0
`,
  { mayExceedMemory: true, shared },
);
