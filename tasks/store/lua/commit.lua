-- The one write of a turn: history, answered messages, replies, usage. Refused unless the claim still stands.
-- A commit that is sent twice (its answer was lost) is done once, also when the second comes behind the next commit.
-- KEYS: 1 state, 2 inbox, 3 outbox, 4 pending, 5 dead, 6 journal (goes with messages that go); then the day's usage hashes.
-- ARGV: 1 owner, 2 epoch, 3 commit id, 4 session, 5 plan (JSON: drop, then, set, unset, add, replies, dead, after, and
--       usage: {set, add} for each usage hash), 6 history (stored if plan.history), 7 letters kept, 8 seconds usage is.
-- Reply: 1 done, 0 the claim was lost.
local state, inbox, outbox, pending, dead, journal = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local id, session, plan, kept, lasts = ARGV[3], ARGV[4], cjson.decode(ARGV[5]), tonumber(ARGV[7]), tonumber(ARGV[8])
local claim = redis.call('HMGET', state, 'owner', 'epoch', 'commit')
local last = claim[3] or ''
local lost = claim[1] ~= ARGV[1] or claim[2] ~= ARGV[2] or (last ~= id and last ~= (plan.after or last))
if lost or last == id then
  return lost and 0 or 1
end
-- Everything is looked at before the first write, so that the commit happens as a whole or not at all.
assert(plan.drop % 1 + kept % 1 + lasts % 1 == 0 and math.min(plan.drop, kept, lasts - 1) >= 0, 'no counts')
assert(math.max(plan.drop, kept, lasts) <= 1e9 and #plan.unset < 4000, 'out of range')
assert(table.concat(plan.replies) .. table.concat(plan.dead) .. table.concat(plan['then']) .. table.concat(plan.unset))
-- A counter that is none (a damaged field) begins at nothing; it stops where whole numbers do.
local function fields(key, set, add)
  for field, amount in pairs(add) do
    local before = tonumber(redis.call('HGET', key, field) or nil) or 0
    local sum = math.max(0, math.min((before >= 0 and before or 0) + amount, 2 ^ 53))
    assert(amount == amount, 'not an amount')
    set[#set + 1] = field
    set[#set + 1] = string.format('%.0f', sum)
  end
  assert(#table.concat(set) > 0 and #set % 2 == 0 and #set < 4000, 'not fields and values')
  return set
end
local name, value = plan.history and 'history' or 'commit', plan.history and ARGV[6] or id
local usage, put = {}, fields(state, { 'commit', id, name, value, unpack(plan.set) }, plan.add)
for place = 7, #KEYS do
  usage[place] = fields(KEYS[place], plan.usage[place - 6].set, plan.usage[place - 6].add)
end
local _, _, _ = redis.call('LLEN', inbox), redis.call('LLEN', outbox), redis.call('ZCARD', pending)
local head = plan['then'][#plan['then']] or redis.call('LINDEX', inbox, plan.drop)
local read, entry = pcall(cjson.decode, head or '')
local at = read and type(entry) == 'table' and tonumber(entry.at) or 0
for _, letter in ipairs(plan.dead) do
  redis.call('XADD', dead, 'MAXLEN', '~', kept, '*', 'letter', letter)
end
redis.call('HDEL', state, 'tries', 'live', unpack(plan.unset))
redis.call('HSET', state, unpack(put))
redis.call(plan.drop > 0 and 'DEL' or 'EXISTS', journal)
redis.call('LTRIM', inbox, plan.drop, -1)
for _, inbound in ipairs(plan['then']) do
  redis.call('LPUSH', inbox, inbound)
end
for _, reply in ipairs(plan.replies) do
  redis.call('RPUSH', outbox, reply)
end
for place, set in pairs(usage) do
  redis.call('HSET', KEYS[place], unpack(set))
  redis.call('EXPIRE', KEYS[place], lasts)
end
if head or #plan.replies > 0 then
  redis.call('ZADD', pending, head and 'CH' or 'NX', at >= 0 and at <= 1e12 and at or 0, session)
end
return 1
