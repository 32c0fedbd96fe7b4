import { scriptOf, type Script } from "./script.ts";

/** Redemptions, settlements and reconciliations, one after another: a JSON text of all of them. */
export const END: Script = scriptOf(
  `
local function redeem(asked)
  local call = callOf(asked.call)
  if not call or call.grant ~= asked.grant or call.digest ~= asked.digest then return 'unknown' end
  if call.phase ~= RESERVED and call.phase ~= RESUMED then return 'replayed' end
  if not (asked.now < call.expiresAt) then return 'expired' end
  if call.phase == RESUMED then
    call.phase = RERUN
    started(asked.call, call, asked.now)
    setCall(asked.call, call)
    return 'redeemed'
  end
  if hasLapsed(call) then return 'expired' end
  started(asked.call, call, asked.now)
  -- It goes on counting: until its window ends, or for ever.
  for index, debit in ipairs(call.debits) do
    if close(memberOf(call, index)) and debit.windowEnd then
      debit.ends = debit.windowEnd
      open(memberOf(call, index))
    end
  end
  call.phase = REDEEMED
  setCall(asked.call, call)
  return 'redeemed'
end

local function amountsOf(parts)
  local amounts = {}
  for _, part in ipairs(parts) do amounts[part.unit] = part.amount end
  return amounts
end

-- Ends what a call holds; what 'amountFor' says of it stays spent, and never more than was reserved.
local function settleDebits(call, isFreed, amountFor)
  for position, debit in ipairs(call.debits) do
    local wasOpen = close(memberOf(call, position))
    -- What ended before stays ended: a window, and what was never started.
    if wasOpen or (call.phase ~= RESERVED and not debit.windowEnd) then
      local before = debit.amount
      debit.amount = math.min(before, amountFor(debit))
      spend(debit.account, debit.amount - before)
      if debit.windowEnd and debit.amount > 0 then
        debit.ends = debit.windowEnd
        open(memberOf(call, position))
        if isFreed then index(call.lineage .. '1' .. memberOf(call, position)) end
      end
    end
  end
end

local function settle(asked)
  local action, call = asked.action, callOf(asked.call)
  if not call or call.decision ~= asked.decision or call.grant ~= asked.grant then return false end
  local isRunning = call.phase == REDEEMED or call.phase == RERUN
  local isWaiting = call.phase == RESERVED or call.phase == RESUMED
  if not isRunning and not isWaiting and call.phase ~= UNKNOWN then return false end
  -- Who said that they do not know how a call ended said that it was started.
  if action == 'cancel' and not isWaiting then return false end
  if (action == 'undo' or action == 'pause' or action == 'keep') and not isRunning then return false end
  local isPaused = action == 'pause' or call.phase == RESUMED or (action == 'undo' and call.phase == RERUN)
  local isKept = isPaused or action == 'keep'

  local neverRan = action == 'cancel' or action == 'undo'
  -- What failed, or never ran, may be asked again under its id; it is decided and reserved afresh.
  local isFreed = neverRan or action == 'release'
  local used = amountsOf(asked.used)
  if not isKept then
    settleDebits(call, isFreed, function(debit)
      if neverRan or (action == 'release' and debit.refundable) then return 0 end
      return action == 'commit' and used[debit.unit] or debit.amount
    end)
  end
  if not isWaiting and action ~= 'keep' then ended(asked.call, call.lineage) end
  if isKept then
    call.phase = isPaused and PAUSED or UNKNOWN
    setCall(asked.call, call)
  elseif isFreed then
    setCall(asked.call, false)
    unindex(call.lineage .. '0' .. asked.call)
  else
    call.phase = SETTLED
    setCall(asked.call, call)
  end
  if asked.observed then addLabels(ownLineage(call.lineage), call.labels) end
  local reply = { call.labels.untrusted and '1' or '0', #call.labels.classes }
  for _, class in ipairs(call.labels.classes) do table.insert(reply, class) end
  return withReserved(reply, call)
end

local function isUnsettled(call) return call.phase == REDEEMED or call.phase == RERUN or call.phase == UNKNOWN end

local function reconcile(asked)
  local call = callOf(asked.call)
  if not call then return { 'none' } end
  if call.reconciled == asked.said then return withReserved({ 'repeated', startedPart(call) }, call) end
  if not isUnsettled(call) then return { 'none' } end
  if call.phase ~= UNKNOWN and not ((call.startedAt or call.expiresAt) < asked.startedBefore) then return { 'running' } end
  local used, reserved = amountsOf(asked.used), amountsOf(call.reserved)
  for _, part in ipairs(asked.used) do
    if not reserved[part.unit] then return { 'unreserved', part.unit } end
  end
  settleDebits(call, false, function(debit) return asked.isDone and (used[debit.unit] or debit.amount) or 0 end)
  ended(asked.call, call.lineage)
  call.phase = asked.isDone and SETTLED or NOT_RUN
  call.reconciled = asked.said
  setCall(asked.call, call)
  return withReserved({ 'reconciled', startedPart(call) }, call)
end

local replies = {}
for position, asked in ipairs(cjson.decode(ARGV[1])) do
  local answer = asked.action and settle or asked.said and reconcile or redeem
  replies[position] = answer(asked)
end
flush()
if isFilled then keep(0) end
return replies
`,
  { mayExceedMemory: true },
);
