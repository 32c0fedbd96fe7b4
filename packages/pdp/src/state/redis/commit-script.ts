import { BATCH, scriptOf, type Script } from "./script.ts";

/**
 * Step 6, of many calls one after another: a JSON text of all of them. Answers a list for each, with numbers as text: of the largest the client would make others.
 * `again`: it dropped what it could in one go, and did nothing else.
 */
export const COMMIT: Script = scriptOf(`
local commits = cjson.decode(ARGV[1])
local AGAIN, seq = { 'again' }, nil
local left, keepUntil, earliest, count = ${BATCH}, 0, math.huge, 0
-- Until when each account was swept, and which are known to be the lineage's.
local swept, owned, due = {}, {}, {}

-- Windows, and reservations whose grant nobody redeemed in time. Whether all are gone.
local function dropEnded(account, now)
  if (swept[account] or -1) >= now then return true end
  flushOpened()
  local ended = left > 0 and redis.call('ZRANGEBYLEX', OPEN, '[' .. account, '(' .. account .. padded(now + 1), 'LIMIT', 0, left) or {}
  for _, member in ipairs(ended) do free(member) end
  left = left - #ended
  if left > 0 then swept[account] = now end
  return left > 0
end

local function known(status, call)
  return withReserved({ status, call.decision, call.grant, text(call.expiresAt) }, call)
end

local function commitCall(commit)
  local now = commit.now
  local earlier = callOf(commit.call)
  -- It goes on once for each pause, with what it reserved, and as the call that it was.
  if earlier and (earlier.phase == PAUSED or earlier.phase == RESUMED) then
    if earlier.digest ~= commit.digest then return { 'spent' } end
    if earlier.phase == RESUMED and earlier.expiresAt > now then return known('repeated', earlier) end
    earlier.decision, earlier.grant, earlier.expiresAt, earlier.phase = commit.decision, commit.grant, commit.expiresAt, RESUMED
    setCall(commit.call, earlier)
    return known('resumed', earlier)
  end
  if earlier and earlier.phase ~= RESERVED and earlier.phase ~= NOT_RUN then return { 'spent' } end
  if earlier and earlier.phase == RESERVED and earlier.digest == commit.digest and earlier.expiresAt > now and not hasLapsed(earlier) then return known('repeated', earlier) end

  for _, once in ipairs(commit.once) do
    local taken = redis.call('ZSCORE', DUE, 'o' .. once.key)
    if taken and tonumber(taken) >= now then return { 'used', once.key } end
  end
  for _, reservation in ipairs(commit.reservations) do
    for _, account in ipairs(reservation.accounts) do
      if not dropEnded(account.id, now) then return AGAIN end
    end
  end

  -- Other arguments under the same id, or a grant that nobody used in time: what was reserved for it is free for this one.
  local replaced = {}
  for index, debit in ipairs(earlier and earlier.debits or {}) do
    if isOpen(earlier, index) then replaced[debit.account] = (replaced[debit.account] or 0) + debit.amount end
  end

  local call = {
    digest = commit.digest, decision = commit.decision, grant = commit.grant, expiresAt = commit.expiresAt,
    lineage = commit.lineage, labels = commit.labels, tool = commit.tool, phase = RESERVED, debits = {}, reserved = {},
  }
  local reply = { 'committed' }
  for _, reservation in ipairs(commit.reservations) do
    local remaining = 9007199254740991
    for _, account in ipairs(reservation.accounts) do
      remaining = math.min(remaining, account.limit - spentOn(account.id) + (replaced[account.id] or 0))
    end
    local amount = math.min(reservation.want, remaining)
    if amount < reservation.atLeast then return { 'exhausted', reservation.unit, text(math.max(0, remaining)) } end
    table.insert(call.reserved, { unit = reservation.unit, amount = amount })
    table.insert(reply, text(amount))
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
  seq = (seq or redis.call('HINCRBY', SPENT, 'seq', #commits) - #commits) + 1
  call.seq = seq
  keepUntil = math.max(keepUntil, commit.keepUntil)
  earliest = math.min(earliest, now)
  for _, once in ipairs(commit.once) do
    redis.call('ZADD', DUE, text(once['until']), 'o' .. once.key)
    keepUntil = math.max(keepUntil, once['until'])
  end
  if earlier then
    for index in ipairs(earlier.debits) do free(memberOf(earlier, index)) end
    unindex(earlier.lineage .. '0' .. commit.call)
  end
  for position, debit in ipairs(call.debits) do
    spend(debit.account, debit.amount)
    open(memberOf(call, position))
    if debit.ends <= (swept[debit.account] or -1) then swept[debit.account] = nil end
    local entry = call.lineage .. '2' .. debit.account
    if not owned[entry] and redis.call('ZADD', INDEX, 0, entry) == 1 then spend('n' .. debit.account, 1) end
    owned[entry] = true
  end
  setCall(commit.call, call)
  index(call.lineage .. '0' .. commit.call)

  local lineage = ownLineage(call.lineage)
  lineage.calls = lineage.calls + 1
  lineage.previous = commit.tool
  add(lineage.tools, commit.tool)
  due[call.lineage] = math.max(due[call.lineage] or 0, commit.keepUntil)
  count = count + 1
  return reply
end

local replies = {}
for position, commit in ipairs(commits) do replies[position] = commitCall(commit) end
flush()
for id, time in pairs(due) do redis.call('ZADD', DUE, 'GT', text(time), 'l' .. id) end
if count > 0 then
  keep(keepUntil + KEEP_UNSETTLED)
  -- One commit adds a few entries and drops a few more, so that what is due does not pile up. Due by two clocks: one that is ahead drops nothing.
  collect(math.min(earliest, serverNow()) - MARGIN, 32 * count)
end
return replies
`);
