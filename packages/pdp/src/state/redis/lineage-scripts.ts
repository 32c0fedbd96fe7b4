import { BATCH, scriptOf, type Script } from "./script.ts";

/** Lineage. */
export const FACTS: Script = scriptOf(
  `
local lineage = lineageOf(ARGV[1])
local reply = { lineage.untrusted and '1' or '0', text(lineage.calls), lineage.previous or '', #lineage.tools }
for _, tool in ipairs(lineage.tools) do table.insert(reply, tool) end
for _, class in ipairs(lineage.classes) do table.insert(reply, class) end
return reply
`,
  { mayExceedMemory: true },
);

/** The beginning of a range of calls, and how many. Answers a list for each: its key, whether it runs, and what there is to say of it. */
export const UNSETTLED: Script = scriptOf(
  `
local reply = {}
for _, key in ipairs(redis.call('ZRANGEBYLEX', UNSETTLED, ARGV[1], '+', 'LIMIT', 0, ARGV[2])) do
  local call = callOf(key)
  if call then table.insert(reply, withReserved({ key, call.phase == UNKNOWN and 'unknown' or 'running', startedPart(call) }, call)) end
end
return reply
`,
  { mayExceedMemory: true },
);

/** Lineage, labels as a JSON text, time. */
export const LABEL: Script = scriptOf(`
local id, keepUntil = ARGV[1], tonumber(ARGV[3])
addLabels(ownLineage(id), cjson.decode(ARGV[2]))
flush()
redis.call('ZADD', DUE, 'GT', text(keepUntil), 'l' .. id)
keep(keepUntil)
return 1
`);

/** Envelope, time. */
export const ADMIT: Script = scriptOf(`
local keepUntil = tonumber(ARGV[2])
local isFirst = redis.call('ZADD', DUE, 'NX', text(keepUntil), 'e' .. ARGV[1])
keep(keepUntil)
return isFirst
`);

/** Envelopes. */
export const ADMITTED: Script = scriptOf(
  `
local reply = {}
for index, id in ipairs(ARGV) do reply[index] = redis.call('ZSCORE', DUE, 'e' .. id) and 1 or 0 end
return reply
`,
  { mayExceedMemory: true },
);

/** When, until when it has to be remembered, scopes. */
export const REVOKE: Script = scriptOf(
  `
local at, keepUntil = tonumber(ARGV[1]), tonumber(ARGV[2])
for index = 3, #ARGV do
  local scope = ARGV[index]
  local earlier = redis.call('HGET', REVOKED, scope)
  if not earlier or tonumber(earlier) < at then redis.call('HSET', REVOKED, scope, text(at)) end
  redis.call('ZADD', DUE, 'GT', text(keepUntil), 'r' .. scope)
end
keep(keepUntil)
return 1
`,
  { mayExceedMemory: true },
);

/** Scopes. */
export const REVOKED_AT: Script = scriptOf(
  `
local reply = {}
for index, scope in ipairs(ARGV) do reply[index] = redis.call('HGET', REVOKED, scope) or '' end
return reply
`,
  { mayExceedMemory: true },
);

/** Time. Answers 1 when there may be more to drop. */
export const SWEEP: Script = scriptOf(`return collect(tonumber(ARGV[1]), ${BATCH}) and 1 or 0`, { mayExceedMemory: true });
