import { KEEP_UNSETTLED } from "../unsettled.ts";

/**
 * Ids arrive as JSON texts, so that one ends where its closing quote is and none is the beginning of another. What is kept of a tenant, all of it in one hash slot:
 *
 * - CALLS    hash: envelope and call id → the call as a packed table
 * - SPENT    hash: account → what is held and spent on it; `n` and account → how many lineages were debited on it; `u` and lineage → how many of its calls are in
 *            UNSETTLED; `seq` → the last number that a commit was given
 * - OPEN     sorted set in the order of bytes: the debits that stop counting by themselves, as account, when (16 digits):seq:index:amount
 * - LINEAGES hash: lineage → its facts as a packed table
 * - INDEX    sorted set in the order of bytes: lineage and what is dropped with it: `0` and a call, `1` and a debit that outlived its call, `2` and an account
 * - DUE      sorted set: what may be dropped, by when: `l` and a lineage, `u` and a lineage whose time was over while a call of it was in UNSETTLED, `o` and what is
 *            used once, `e` and an envelope let in, `r` and a revoked scope
 * - REVOKED  hash: scope → when
 * - UNSETTLED sorted set in the order of bytes: calls that were started and not settled
 *
 * Nothing that a script did is undone when it fails, so each reads and checks everything before it writes. A script may be asked many questions at once: rows are read
 * once, and written once, by `flush`.
 */
export const OF_TENANT: string = `
local CALLS, SPENT, OPEN, LINEAGES, INDEX, DUE, REVOKED, UNSETTLED = unpack(KEYS)
local RESERVED, REDEEMED, SETTLED, PAUSED, RESUMED, RERUN, UNKNOWN, NOT_RUN = 0, 1, 2, 3, 4, 5, 6, 7
local KEEP_UNSETTLED = ${KEEP_UNSETTLED}

-- Rows as they are: read before, and changed since. A call that is not there is 'false'.
local calls, lineages, spent = {}, {}, {}
-- What is not written yet: the keys of calls and lineages, what was added to accounts, and entries of OPEN and of INDEX.
local changedCalls, changedLineages, added, opened, indexed = {}, {}, {}, {}, {}
-- Whether a key may be a new one, which has no end yet.
local isFilled = false

local function callOf(key)
  if calls[key] == nil then
    local packed = redis.call('HGET', CALLS, key)
    calls[key] = packed and cmsgpack.unpack(packed) or false
  end
  return calls[key]
end

local function setCall(key, call)
  calls[key] = call
  changedCalls[key] = true
end

local function spentOn(account)
  if not spent[account] then spent[account] = tonumber(redis.call('HGET', SPENT, account) or '0') + (added[account] or 0) end
  return spent[account]
end

local function spend(account, amount)
  if spent[account] then spent[account] = spent[account] + amount end
  added[account] = (added[account] or 0) + amount
end

local function started(key, call, now)
  call.startedAt = now
  if redis.call('ZADD', UNSETTLED, 0, key) == 0 then return end
  spend('u' .. call.lineage, 1)
  if redis.call('ZCARD', UNSETTLED) == 1 then isFilled = true end
end

-- It is settled, or paused. The last one of a lineage that was kept for it lets it go.
local function ended(key, lineage)
  if redis.call('ZREM', UNSETTLED, key) == 0 then return end
  spend('u' .. lineage, -1)
  local kept = spentOn('u' .. lineage) <= 0 and redis.call('ZSCORE', DUE, 'u' .. lineage)
  if kept then
    redis.call('ZADD', DUE, 'GT', text(kept - KEEP_UNSETTLED), 'l' .. lineage)
    redis.call('ZREM', DUE, 'u' .. lineage)
  end
end

local function padded(time) return string.format('%016.0f', time) end

local function memberOf(call, index)
  local debit = call.debits[index]
  return debit.account .. padded(debit.ends) .. ':' .. call.seq .. ':' .. index .. ':' .. text(debit.amount)
end

local function open(member)
  opened[member] = true
  isFilled = true
end

local function isOpen(call, index)
  local member = memberOf(call, index)
  return opened[member] or (redis.call('ZSCORE', OPEN, member) and true or false)
end

-- Whether it was open.
local function close(member)
  if opened[member] then
    opened[member] = nil
    return true
  end
  return redis.call('ZREM', OPEN, member) == 1
end

-- What a debit held is free, unless it was already.
local function free(member)
  if not close(member) then return end
  local account, amount = string.match(member, '^(".*")%d+:%d+:%d+:(%d+)$')
  spend(account, 0 - amount)
end

local function index(entry) indexed[entry] = true end

local function unindex(entry)
  if indexed[entry] then indexed[entry] = nil else redis.call('ZREM', INDEX, entry) end
end

-- What was reserved, by unit, as the end of an answer.
local function withReserved(reply, call)
  for _, part in ipairs(call.reserved) do
    table.insert(reply, part.unit)
    table.insert(reply, text(part.amount))
  end
  return reply
end

-- Of a version that did not keep its tool, and when it was started.
local function startedPart(call)
  return call.lineage, call.decision, call.tool or '"unknown"', text(call.startedAt or call.expiresAt)
end

-- Whether what it held until its grant expires may be another's already. By whose clock does not matter: nobody redeems it any longer.
local function hasLapsed(call)
  for index, debit in ipairs(call.debits) do
    if debit.ends == call.expiresAt and not isOpen(call, index) then return true end
  end
  return false
end

local function lineageOf(id)
  if not lineages[id] then
    local packed = redis.call('HGET', LINEAGES, id)
    lineages[id] = packed and cmsgpack.unpack(packed) or { calls = 0, tools = {}, untrusted = false, classes = {} }
  end
  return lineages[id]
end

-- To be changed.
local function ownLineage(id)
  changedLineages[id] = true
  isFilled = true
  return lineageOf(id)
end

local function add(list, name)
  for _, known in ipairs(list) do if known == name then return end end
  table.insert(list, name)
end

local function addLabels(lineage, labels)
  if labels.untrusted then lineage.untrusted = true end
  for _, class in ipairs(labels.classes) do add(lineage.classes, class) end
end

-- As many at a time as fit on Lua's stack.
local function write(command, key, values)
  for first = 1, #values, 1000 do redis.call(command, key, unpack(values, first, math.min(first + 999, #values))) end
end

local function writeScores(key, entries)
  local values = {}
  for entry in pairs(entries) do
    table.insert(values, '0')
    table.insert(values, entry)
  end
  write('ZADD', key, values)
end

local function flushOpened()
  writeScores(OPEN, opened)
  opened = {}
end

local function flush()
  local set, gone = {}, {}
  for key in pairs(changedCalls) do
    if calls[key] then
      table.insert(set, key)
      table.insert(set, cmsgpack.pack(calls[key]))
    else
      table.insert(gone, key)
    end
  end
  write('HSET', CALLS, set)
  write('HDEL', CALLS, gone)
  set = {}
  for id in pairs(changedLineages) do
    table.insert(set, id)
    table.insert(set, cmsgpack.pack(lineages[id]))
  end
  write('HSET', LINEAGES, set)
  for account, amount in pairs(added) do
    if amount ~= 0 then redis.call('HINCRBY', SPENT, account, text(amount)) end
  end
  writeScores(INDEX, indexed)
  flushOpened()
  changedCalls, changedLineages, added, indexed = {}, {}, {}, {}
end

-- Drops up to so many entries of what was due before a time, once all else is written; answers whether there may be more.
local function dropDue(before, most)
  local left = most
  for _, due in ipairs(redis.call('ZRANGEBYSCORE', DUE, '-inf', '(' .. text(before), 'LIMIT', 0, most)) do
    if left <= 0 then return true end
    local kind, id = string.sub(due, 1, 1), string.sub(due, 2)
    left = left - 1
    local waits = kind == 'l' and tonumber(redis.call('HGET', SPENT, 'u' .. id) or '0') > 0 and redis.call('ZSCORE', DUE, due) + KEEP_UNSETTLED
    if waits and waits >= before then
      redis.call('ZADD', DUE, 'GT', text(waits), 'u' .. id)
    elseif kind == 'l' or (kind == 'u' and not redis.call('ZSCORE', DUE, 'l' .. id)) then
      local entries = redis.call('ZRANGEBYLEX', INDEX, '[' .. id, '(' .. id .. '\\255', 'LIMIT', 0, left)
      for _, entry in ipairs(entries) do
        local what, name = string.sub(entry, #id + 1, #id + 1), string.sub(entry, #id + 2)
        if what == '0' then
          local call = callOf(name)
          for index in ipairs(call and call.debits or {}) do free(memberOf(call, index)) end
          setCall(name, false)
          if kind == 'u' or waits then redis.call('ZREM', UNSETTLED, name) end
        elseif what == '1' then
          free(name)
        -- Another lineage that was debited on it keeps it.
        elseif redis.call('HINCRBY', SPENT, 'n' .. name, -1) <= 0 then
          redis.call('HDEL', SPENT, name, 'n' .. name)
          spent[name], added[name] = nil, nil
        end
        redis.call('ZREM', INDEX, entry)
      end
      -- As many as were asked for: there may be more of this lineage, and it goes last.
      if #entries == left then return true end
      left = left - #entries
      redis.call('HDEL', LINEAGES, id)
      redis.call('HDEL', SPENT, 'u' .. id)
      lineages[id], spent['u' .. id], added['u' .. id] = nil, nil, nil
    elseif kind == 'r' then
      redis.call('HDEL', REVOKED, id)
    end
    redis.call('ZREM', DUE, due)
  end
  return left <= 0
end

local function collect(before, most)
  local isMore = dropDue(before, most)
  flush()
  return isMore
end
`;
