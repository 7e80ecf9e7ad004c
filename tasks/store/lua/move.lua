-- A group became a supergroup: its session is let go, and the new one told to fetch what is left in it.
-- KEYS: old 1 state, 2 inbox, 3 pending; new 4 state, 5 pending; 6 the parked turns of the old one's slot.
-- ARGV: 1 owner, 2 epoch, 3 old session, 4 new session, 5 now (s); then the inbox entries that said so, to be dropped.
-- Reply: 1, or 0 when the claim was lost.
local state, inbox, pending, new_state, new_pending = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local parked = KEYS[6]
local me, epoch, old, new, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local claim = redis.call('HMGET', state, STATE.owner, STATE.epoch, STATE.tries)
if claim[1] ~= me or claim[2] ~= epoch then
  return 0
end
local since, tries = tonumber(now), tonumber(claim[3] or nil) or 0
-- Everything is looked at before the first write: the move happens as a whole or not at all.
assert(since >= 0 and since <= 1e12, 'a time is out of range')
redis.call('LLEN', inbox)
redis.call('ZCARD', pending)
redis.call('HLEN', new_state)
redis.call('ZCARD', new_pending)
redis.call('ZCARD', parked)
for entry = 6, #ARGV do
  redis.call('LREM', inbox, 1, ARGV[entry])
end
if old == new then
  -- It came along with what was fetched; here it is done.
  return 1
end
redis.call('HDEL', state, STATE.owner)
redis.call('HSET', state, STATE.migrated_to, new)
if tries >= 1 then
  redis.call('HSET', state, STATE.tries, math.floor(math.min(tries, 1e9)) - 1)
end
-- The sweep finds it until it was fetched, and its owner then tells the new session again.
redis.call('ZADD', pending, 'NX', since, old)
-- A turn that was parked asks again in the new one.
redis.call('ZREM', parked, old)
redis.call('HSET', new_state, STATE.migrating_from, old)
redis.call('ZADD', new_pending, 'NX', since, new)
return 1
