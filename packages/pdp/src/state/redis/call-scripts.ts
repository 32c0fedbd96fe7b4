import { BATCH, scriptOf, type Script } from "./script.ts";

/** Step 6. What is asked is one JSON text. */
export const COMMIT: Script = scriptOf(`
local commit = cjson.decode(ARGV[1])
local now = commit.now

local function answer(status, call)
  local reply = { status, call.decision, call.grant, text(call.expiresAt) }
  for _, part in ipairs(call.reserved) do
    table.insert(reply, part.unit)
    table.insert(reply, text(part.amount))
  end
  return reply
end

local earlier = callOf(commit.call)
if earlier and earlier.phase ~= RESERVED then return { 'spent' } end
if earlier and earlier.digest == commit.digest and earlier.expiresAt > now and not hasLapsed(earlier) then return answer('repeated', earlier) end

for _, once in ipairs(commit.once) do
  local taken = redis.call('ZSCORE', DUE, 'o' .. once.key)
  if taken and tonumber(taken) >= now then return { 'used', once.key } end
end

-- Windows, and reservations whose grant nobody redeemed in time.
for _, reservation in ipairs(commit.reservations) do
  for _, account in ipairs(reservation.accounts) do
    local ended = redis.call('ZRANGEBYLEX', OPEN, '[' .. account.id, '(' .. account.id .. padded(now + 1), 'LIMIT', 0, ${BATCH})
    for _, member in ipairs(ended) do free(member) end
    if #ended == ${BATCH} then return { 'again' } end
  end
end

-- Other arguments under the same id, or a grant that nobody used in time: what was reserved for it is free for this one.
local replaced = {}
for index, debit in ipairs(earlier and earlier.debits or {}) do
  if isOpen(earlier, index) then replaced[debit.account] = (replaced[debit.account] or 0) + debit.amount end
end

local call = {
  digest = commit.digest, decision = commit.decision, grant = commit.grant, expiresAt = commit.expiresAt,
  lineage = commit.lineage, labels = commit.labels, phase = RESERVED, debits = {}, reserved = {},
}
for _, reservation in ipairs(commit.reservations) do
  local remaining = 9007199254740991
  for _, account in ipairs(reservation.accounts) do
    local spent = tonumber(redis.call('HGET', SPENT, account.id) or '0') - (replaced[account.id] or 0)
    remaining = math.min(remaining, account.limit - spent)
  end
  local amount = math.min(reservation.want, remaining)
  if amount < reservation.atLeast then return { 'exhausted', reservation.unit, text(math.max(0, remaining)) } end
  table.insert(call.reserved, { unit = reservation.unit, amount = amount })
  for _, account in ipairs(reservation.accounts) do
    -- An account that is named twice is debited twice.
    replaced[account.id] = (replaced[account.id] or 0) - amount
    local windowEnd = account.window and math.min(now + account.window, 8640000000000000) or nil
    table.insert(call.debits, {
      unit = reservation.unit, account = account.id, amount = amount, refundable = reservation.refundable,
      windowEnd = windowEnd, ends = math.min(commit.expiresAt, windowEnd or commit.expiresAt),
    })
  end
end

-- INVARIANT I6: nothing was written, and nothing given back, before everything was found to fit.
call.seq = redis.call('HINCRBY', SPENT, 'seq', 1)
local keepUntil = commit.keepUntil
for _, once in ipairs(commit.once) do
  redis.call('ZADD', DUE, text(once['until']), 'o' .. once.key)
  keepUntil = math.max(keepUntil, once['until'])
end
if earlier then
  for index in ipairs(earlier.debits) do free(memberOf(earlier, index)) end
  redis.call('ZREM', INDEX, earlier.lineage .. '0' .. commit.call)
end
for index, debit in ipairs(call.debits) do
  redis.call('HINCRBY', SPENT, debit.account, text(debit.amount))
  redis.call('ZADD', OPEN, 0, memberOf(call, index))
  if redis.call('ZADD', INDEX, 0, call.lineage .. '2' .. debit.account) == 1 then redis.call('HINCRBY', SPENT, 'n' .. debit.account, 1) end
end
redis.call('HSET', CALLS, commit.call, cmsgpack.pack(call))
redis.call('ZADD', INDEX, 0, call.lineage .. '0' .. commit.call)

local lineage = lineageOf(call.lineage)
lineage.calls = lineage.calls + 1
lineage.previous = commit.tool
add(lineage.tools, commit.tool)
redis.call('HSET', LINEAGES, call.lineage, cmsgpack.pack(lineage))
redis.call('ZADD', DUE, 'GT', text(commit.keepUntil), 'l' .. call.lineage)
keep(keepUntil)
-- One commit adds a few entries and drops a few more, so that what is due does not pile up. Due by two clocks: one that is ahead drops nothing.
collect(math.min(now, serverNow()) - MARGIN, 32)
return answer('committed', call)
`);

/** Call, grant, digest of the call, time. */
export const REDEEM: Script = scriptOf(
  `
local key, grant, digest, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local call = callOf(key)
if not call or call.grant ~= grant or call.digest ~= digest then return 'unknown' end
if call.phase ~= RESERVED then return 'replayed' end
if not (now < call.expiresAt) or hasLapsed(call) then return 'expired' end
-- It goes on counting: until its window ends, or for ever.
local isFilled = false
for index, debit in ipairs(call.debits) do
  local wasOpen = redis.call('ZREM', OPEN, memberOf(call, index)) == 1
  if wasOpen and debit.windowEnd then
    debit.ends = debit.windowEnd
    redis.call('ZADD', OPEN, 0, memberOf(call, index))
    isFilled = true
  end
end
call.phase = REDEEMED
redis.call('HSET', CALLS, key, cmsgpack.pack(call))
if isFilled then keep(0) end
return 'redeemed'
`,
  { mayExceedMemory: true },
);

/** One JSON text. */
export const SETTLE: Script = scriptOf(
  `
local settlement = cjson.decode(ARGV[1])
local action, key = settlement.action, settlement.call
local call = callOf(key)
if not call or call.decision ~= settlement.decision or call.grant ~= settlement.grant then return false end
if call.phase == SETTLED or (action == 'cancel' and call.phase ~= RESERVED) or (action == 'undo' and call.phase ~= REDEEMED) then return false end

local used = {}
for _, part in ipairs(settlement.used) do used[part.unit] = part.amount end
local neverRan = action == 'cancel' or action == 'undo'
-- What failed, or never ran, may be asked again under its id; it is decided and reserved afresh.
local isFreed = neverRan or action == 'release'
local isFilled = false

for index, debit in ipairs(call.debits) do
  local wasOpen = redis.call('ZREM', OPEN, memberOf(call, index)) == 1
  -- What ended before stays ended.
  if wasOpen or (call.phase == REDEEMED and not debit.windowEnd) then
    local before = debit.amount
    if neverRan or (action == 'release' and debit.refundable) then debit.amount = 0 end
    if action == 'commit' then debit.amount = math.min(before, used[debit.unit] or before) end
    redis.call('HINCRBY', SPENT, debit.account, text(debit.amount - before))
    if debit.windowEnd and debit.amount > 0 then
      debit.ends = debit.windowEnd
      redis.call('ZADD', OPEN, 0, memberOf(call, index))
      if isFreed then redis.call('ZADD', INDEX, 0, call.lineage .. '1' .. memberOf(call, index)) end
      isFilled = true
    end
  end
end

if isFreed then
  redis.call('HDEL', CALLS, key)
  redis.call('ZREM', INDEX, call.lineage .. '0' .. key)
else
  call.phase = SETTLED
  redis.call('HSET', CALLS, key, cmsgpack.pack(call))
end
if settlement.observed then
  local lineage = lineageOf(call.lineage)
  addLabels(lineage, call.labels)
  isFilled = redis.call('HSET', LINEAGES, call.lineage, cmsgpack.pack(lineage)) == 1 or isFilled
end
if isFilled then keep(0) end
local reply = { call.labels.untrusted and '1' or '0' }
for _, class in ipairs(call.labels.classes) do table.insert(reply, class) end
return reply
`,
  { mayExceedMemory: true },
);
