-- The session of a new supergroup takes what is left in its group's; later again (something came late) behind its own.
-- KEYS: new 1 state, 2 inbox, 3 outbox, 4 pending, 5 notes; old 6 state, 7 inbox, 8 outbox, 9 pending, 10 notes;
--       11 liveness of the old one's expected owner, 12 the old one's journal.
-- ARGV: 1 owner, 2 epoch, 3 new session, 4 old session, 5 expected owner of the old one ('' none), 6 its epoch,
--       7 now (s), 8 plan (JSON: set, head, replies as to be sent), 9 history ('' leaves it), 10 the old one's
--       last commit ('' none): an owner that was wrongly taken for dead may write until here.
-- Reply: {"lost"}: the claim is somebody else's; {"held"}: the old one is, or is not as expected;
--        {"fetched", 1 if the head of the inbox is another one now, state fields and values}.
local state, inbox, old_state, old_inbox = KEYS[1], KEYS[2], KEYS[6], KEYS[7]
local new, old, expected, plan, history = ARGV[3], ARGV[4], ARGV[5], cjson.decode(ARGV[8]), ARGV[9]
local claim = redis.call('HMGET', state, 'owner', 'epoch', 'awaits')
if claim[1] ~= ARGV[1] or claim[2] ~= ARGV[2] then
  return { 'lost' }
elseif claim[3] ~= old then
  return { 'fetched', 0, redis.call('HGETALL', state) }
end
local left = redis.call('HMGET', old_state, 'owner', 'epoch', 'fetched', 'commit')
local same = (left[1] or '') == expected and (left[2] or '0') == ARGV[6] and (left[4] or '') == ARGV[10]
local lives = left[1] and redis.call('EXISTS', KEYS[11]) == 1
if not same or lives or redis.call('LLEN', KEYS[8]) ~= #plan.replies then
  return { 'held' }
end
-- Everything is looked at before the first write: the fetch happens as a whole or not at all.
local entries, notes = redis.call('LRANGE', old_inbox, 0, -1), redis.call('HGETALL', KEYS[10])
local mine, _, _ = redis.call('LLEN', inbox), redis.call('LLEN', KEYS[3]), redis.call('ZCARD', KEYS[4])
redis.call('HLEN', KEYS[5])
local since = tonumber(redis.call('ZSCORE', KEYS[9], old) or ARGV[7])
local replaced = #entries > 0 and (not left[3] or mine == 0)
local set = { 'epoch', claim[2], unpack(plan.set) }
if replaced then
  set = { 'epoch', claim[2], unpack(plan.head) }
  for _, text in ipairs(plan.set) do
    set[#set + 1] = text
  end
end
assert(#set % 2 == 0 and #set < 4000 and table.concat(set) .. table.concat(plan.replies), 'not fields and values')
assert(since == since, 'not a time')
-- How often the head was begun, and with how many others, goes where the head goes.
local gone = replaced and { 'awaits', 'tries', 'together', 'suspects' } or { 'awaits' }
for place = #entries, 1, -1 do
  redis.call(left[3] and 'RPUSH' or 'LPUSH', inbox, entries[left[3] and #entries - place + 1 or place])
end
for _, reply in ipairs(plan.replies) do
  redis.call('RPUSH', KEYS[3], reply)
end
for place = 1, #notes, 2 do
  redis.call('HSETNX', KEYS[5], notes[place], notes[place + 1])
end
redis.call('HDEL', state, unpack(gone))
redis.call('HSET', state, unpack(set))
if history ~= '' then
  redis.call('HSET', state, 'history', history)
end
redis.call('ZADD', KEYS[4], 'NX', math.max(0, math.min(since, 1e12)), new)
redis.call('DEL', old_state, old_inbox, KEYS[8], KEYS[10], KEYS[12])
redis.call('HSET', old_state, 'epoch', ARGV[6], 'moved', new, 'fetched', 1)
redis.call('ZREM', KEYS[9], old)
return { 'fetched', replaced and 1 or 0, redis.call('HGETALL', state) }
