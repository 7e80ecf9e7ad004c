-- Keep finished and begun steps of a running turn, and count what they cost. Sent twice, it is done once.
-- Refused unless the claim stands and nothing was committed since the turn began, so a late copy keeps nothing.
-- KEYS: 1 state, 2 journal; then the day's usage hashes.
-- ARGV: 1 owner, 2 epoch, 3 last commit ('' none), 4 mark of this journal, 5 mark that it replaces ('' none),
--       6 entries that stand in it already (0: it begins, whatever stood there goes),
--       7 plan (JSON: set and add of the state, and usage: {set, add} for each usage hash), 8 seconds that usage is kept;
--       then the entries.
-- Reply: 1 kept, 0 the claim was lost or a turn was committed, -1 the journal is not as expected: nothing was kept.
local state, journal, mark, before, at = KEYS[1], KEYS[2], ARGV[4], ARGV[5], tonumber(ARGV[6])
local plan, lasts = cjson.decode(ARGV[7]), tonumber(ARGV[8])
local claim = redis.call('HMGET', state, STATE.owner, STATE.epoch, STATE.commit, STATE.journal)
if claim[1] ~= ARGV[1] or claim[2] ~= ARGV[2] or (claim[3] or '') ~= ARGV[3] then
  return 0
end
assert(at >= 0 and at <= 1e6 and at % 1 == 0 and lasts >= 1 and lasts <= 1e9 and lasts % 1 == 0, 'out of range')
assert(#mark > 0 and #ARGV >= 9 and #ARGV < 4000, 'nothing to keep')
local kept = redis.call('LLEN', journal)
local stands = at > 0 and kept >= at + #ARGV - 8 and redis.call('LINDEX', journal, at) == ARGV[9]
if claim[4] == mark and (at == 0 or stands) then
  return 1
end
if (at == 0 and (claim[4] or '') ~= before) or (at > 0 and (claim[4] ~= mark or kept ~= at)) then
  return -1
end
-- As commit.lua counts. Everything is looked at before the first write.
local function fields(key, set, add)
  for field, amount in pairs(add) do
    local sum = tonumber(redis.call('HGET', key, field) or nil) or 0
    sum = math.max(0, math.min((sum >= 0 and sum or 0) + amount, 2 ^ 53))
    assert(amount == amount, 'not an amount')
    set[#set + 1] = field
    set[#set + 1] = string.format('%.0f', sum)
  end
  assert(#set == 0 or #table.concat(set) > 0 and #set % 2 == 0 and #set < 4000, 'not fields and values')
  return set
end
local put, usage = fields(state, { STATE.journal, mark, unpack(plan.set) }, plan.add), {}
for place = 3, #KEYS do
  usage[place] = fields(KEYS[place], plan.usage[place - 2].set, plan.usage[place - 2].add)
end
if at == 0 then
  redis.call('DEL', journal)
end
redis.call('HSET', state, unpack(put))
for entry = 9, #ARGV do
  redis.call('RPUSH', journal, ARGV[entry])
end
for place, set in pairs(usage) do
  if #set > 0 then
    redis.call('HSET', KEYS[place], unpack(set))
    redis.call('EXPIRE', KEYS[place], lasts)
  end
end
return 1
