-- Count what model calls have cost before their turn's commit does. Said twice (its answer was lost), it counts once.
-- KEYS: usage hashes.
-- ARGV: 1 session, 2 id of the charge, 3 JSON: {set, add} for each key, 4 seconds that usage is kept.
-- Reply: 1 counted, 0 counted before.
local field, id, plan, lasts = 'charged:' .. ARGV[1], ARGV[2], cjson.decode(ARGV[3]), tonumber(ARGV[4])
assert(lasts >= 1 and lasts <= 1e9 and lasts % 1 == 0, 'not seconds')
if redis.call('HGET', KEYS[1], field) == id then
  return 0
end
-- As commit.lua counts.
local function fields(key, set, add)
  for name, amount in pairs(add) do
    local before = tonumber(redis.call('HGET', key, name) or nil) or 0
    local sum = math.max(0, math.min((before >= 0 and before or 0) + amount, 2 ^ 53))
    assert(amount == amount, 'not an amount')
    set[#set + 1] = name
    set[#set + 1] = string.format('%.0f', sum)
  end
  set[#set + 1], set[#set + 2] = field, id
  assert(#table.concat(set) > 0 and #set % 2 == 0 and #set < 4000, 'not fields and values')
  return set
end
local counted = {}
for place = 1, #KEYS do
  counted[place] = fields(KEYS[place], plan[place].set, plan[place].add)
end
for place = 1, #KEYS do
  redis.call('HSET', KEYS[place], unpack(counted[place]))
  redis.call('EXPIRE', KEYS[place], lasts)
end
return 1
