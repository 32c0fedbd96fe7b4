import { BATCH, scriptOf, type Script } from "./script.ts";

/** Time, accounts. Changes nothing; of what has ended it looks at so much for each account, so that what it says is never too little. */
export const SPENT: Script = scriptOf(
  `
local before = padded(tonumber(ARGV[1]) + 1)
local reply = {}
for position = 2, #ARGV do
  local account = ARGV[position]
  local counts = spentOn(account)
  for _, member in ipairs(redis.call('ZRANGEBYLEX', OPEN, '[' .. account, '(' .. account .. before, 'LIMIT', 0, ${BATCH})) do
    counts = counts - tonumber(string.match(member, ':(%d+)$'))
  end
  table.insert(reply, text(counts))
end
return reply
`,
  { mayExceedMemory: true },
);
