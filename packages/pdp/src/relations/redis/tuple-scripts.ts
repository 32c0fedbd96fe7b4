import { scriptOf, type Script } from "../../state/redis/script.ts";

/**
 * What is kept of a tenant's tuples, all of it in its hash slot and without an end. A member is a list of JSON texts, so that none is the beginning of another:
 *
 * - TUPLES   sorted set in the order of bytes: object type, object id, kind, relation, subject type, subject id, subject relation
 * - NAMED    the same tuples: subject type, subject id, kind, object type, object id, relation, subject relation
 * - REVISION how many writes changed something
 */
const shared = `
local TUPLES, NAMED, REVISION = unpack(KEYS)

local function revision() return redis.call('GET', REVISION) or '0' end
`;

const WRITE = `
-- As many at a time as fit on Lua's stack.
local function change(command, key, first, last, score)
  local changes = 0
  for from = first, last, 500 do
    local values = {}
    for index = from, math.min(from + 499, last) do
      if score then table.insert(values, score) end
      table.insert(values, ARGV[index])
    end
    changes = changes + redis.call(command, key, unpack(values))
  end
  return changes
end

local removed, added = tonumber(ARGV[1]), tonumber(ARGV[2])
local changes = change('ZREM', TUPLES, 3, 2 + removed) + change('ZADD', TUPLES, 3 + removed, 2 + removed + added, '0')
local named = 3 + removed + added
change('ZREM', NAMED, named, named - 1 + removed)
change('ZADD', NAMED, named + removed, #ARGV, '0')
if changes > 0 then redis.call('INCR', REVISION) end
return revision()
`;

/** How many are removed and how many are added; of each the member of TUPLES, those to remove first; then of each that of NAMED. Answers the revision. */
export const WRITE_TUPLES: Script = scriptOf(WRITE, { shared });

/** The same where all are removed: whoever is to lose a relation loses it on a server that is full as well. */
export const REMOVE_TUPLES: Script = scriptOf(WRITE, { shared, mayExceedMemory: true });

export const RELATION_REVISION: Script = scriptOf("return revision()", { shared, mayExceedMemory: true });

/** Answers the revision, members of TUPLES and members of NAMED, as long as any are wanted. */
const reading = `${shared}
local left = tonumber(ARGV[1])
local tuples, named = {}, {}

local function range(key, from, to, most) return redis.call('ZRANGEBYLEX', key, '[' .. from, '(' .. to, 'LIMIT', 0, most) end

local function take(list, member)
  table.insert(list, member)
  left = left - 1
end

local function takeAll(list, members)
  for _, member in ipairs(members) do take(list, member) end
end
`;

/** How many at most, the subject of a check as it begins members of NAMED, how many relations lead on, those, and objects as members of TUPLES begin. Without a subject all tuples matter. */
export const TUPLES_BELOW: Script = scriptOf(
  `
local subject, first = ARGV[2], 4 + tonumber(ARGV[3])
local leadsOn = {}
for index = 4, first - 1 do leadsOn[ARGV[index]] = true end
for index = first, #ARGV do
  local object = ARGV[index]
  if subject == '' then
    takeAll(tuples, range(TUPLES, object, object .. '\\255', left))
  else
    takeAll(tuples, range(TUPLES, object .. '1', object .. '3', left))
    for relation in pairs(leadsOn) do
      local start = object .. '0,' .. relation
      takeAll(tuples, range(TUPLES, start, start .. '\\255', left))
    end
    -- What was taken as leading on is met again, and does not count twice.
    local start = subject .. object
    for _, member in ipairs(range(NAMED, start, start .. '\\255', left + first - 4)) do
      if left > 0 and not leadsOn[string.sub(member, #start + 1, -3)] then take(named, member) end
    end
  end
end
return { revision(), tuples, named }
`,
  { shared: reading, mayExceedMemory: true },
);

/** How many at most, and subjects as members of NAMED begin. Everyone of a type stands there as the subject without an id, which nobody is. */
export const TUPLES_ABOVE: Script = scriptOf(
  `
for index = 2, #ARGV do takeAll(named, range(NAMED, ARGV[index], ARGV[index] .. '\\255', left)) end
return { revision(), tuples, named }
`,
  { shared: reading, mayExceedMemory: true },
);
