-- The one write of a turn: history, answered messages, replies, usage. Refused unless the claim still stands.
-- A commit that is sent twice (its answer was lost) is done once, also when the second comes behind the next commit.
-- KEYS: 1 state, 2 inbox, 3 outbox, 4 pending, 5 dead, 6 journal (goes with messages that go); then the day's usage hashes.
-- ARGV: 1 owner, 2 epoch, 3 commit id, 4 session, 5 plan (JSON, below), 6 history, 7 dead letters kept, 8 seconds that
--       usage is kept.
--       plan: {drop: entries that leave the head of the inbox, then: [entries that come in their place, last one first],
--       set: [field, value, ...], unset: [field, ...], add: {field: amount}, replies: [...], dead: [...],
--       usage: [{set, add} for each usage hash], history: whether ARGV 6 is stored,
--       after: id of the commit before this one; without it any is}
-- Reply: 1 done, 0 the claim was lost.
local state, inbox, outbox, pending, dead, journal = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local me, epoch, id, session, history = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[6]
local plan, kept, lasts = cjson.decode(ARGV[5]), tonumber(ARGV[7]), tonumber(ARGV[8])
local claim = redis.call('HMGET', state, STATE.owner, STATE.epoch, STATE.commit)
local last = claim[3] or ''
-- Where neither this commit nor the one before it is the last, this one comes late, behind its successor.
local lost = claim[1] ~= me or claim[2] ~= epoch or (last ~= id and last ~= (plan.after or last))
if lost or last == id then
  return lost and 0 or 1
end

-- Everything is looked at before the first write, so that the commit happens as a whole or not at all: Redis undoes
-- nothing. A concatenation fails where an element is no text; LLEN and ZCARD fail where a key is of another type.
assert(plan.drop % 1 + kept % 1 + lasts % 1 == 0 and math.min(plan.drop, kept, lasts - 1) >= 0, 'no counts')
assert(math.max(plan.drop, kept, lasts) <= 1e9 and #plan.unset < 4000, 'out of range')
assert(table.concat(plan.replies) .. table.concat(plan.dead) .. table.concat(plan['then']) .. table.concat(plan.unset))
redis.call('LLEN', inbox)
redis.call('LLEN', outbox)
redis.call('ZCARD', pending)
-- Fields and values for HSET: `set`, and the counters in `add` raised. A counter that is none (a damaged field) begins
-- at nothing; it stops where whole numbers do. unpack takes fewer than 8,000 values.
local function fields(key, set, add)
  local names = {}
  for field in pairs(add) do names[#names + 1] = field end
  local stored = #names > 0 and redis.call('HMGET', key, unpack(names))
  for place, field in ipairs(names) do
    local before, amount = tonumber(stored[place] or nil) or 0, add[field]
    local sum = math.max(0, math.min((before >= 0 and before or 0) + amount, 2 ^ 53))
    assert(amount == amount, 'not an amount')
    set[#set + 1] = field
    set[#set + 1] = string.format('%.0f', sum)
  end
  assert(#table.concat(set) > 0 and #set % 2 == 0 and #set < 4000, 'not fields and values')
  return set
end
local put = fields(state, { STATE.commit, id, unpack(plan.set) }, plan.add)
if plan.history then put[#put + 1], put[#put + 2] = STATE.history, history end
local usage = {}
for place = 7, #KEYS do
  usage[place] = fields(KEYS[place], plan.usage[place - 6].set, plan.usage[place - 6].add)
end
-- What stands at the head of the inbox afterwards says since when the session waits.
local head = plan['then'][#plan['then']] or redis.call('LINDEX', inbox, plan.drop)
local read, entry = pcall(cjson.decode, head or '')
local at = read and type(entry) == 'table' and tonumber(entry.at) or 0

-- The writes. XADD is the one that can still fail (a dead stream of another type), so it is the first.
for _, letter in ipairs(plan.dead) do
  redis.call('XADD', dead, 'MAXLEN', '~', kept, '*', 'letter', letter)
end
-- The next head was not begun yet, and the live message belongs to this turn.
redis.call('HDEL', state, STATE.tries, STATE.live, unpack(plan.unset))
redis.call('HSET', state, unpack(put))
if plan.drop > 0 then redis.call('DEL', journal) end
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
-- The sweep finds a session that has work: by the age of its head, or, with replies only, since it began to wait.
if head or #plan.replies > 0 then
  redis.call('ZADD', pending, head and 'CH' or 'NX', at >= 0 and at <= 1e12 and at or 0, session)
end
return 1
