-- Read what is next in a claimed session, or, when nothing is left, release it. Never both: no wake-up is lost.
-- KEYS: 1 state, 2 inbox, 3 outbox, 4 pending.
-- ARGV: 1 owner, 2 epoch, 3 session, 4 how many inbox entries to read.
-- Reply: {"lost"}: the claim is somebody else's; {"released"}; {"work", tries, inbox entries, outbox entries}.
local state, inbox, outbox, pending = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local me, epoch, session, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local claim = redis.call('HMGET', state, 'owner', 'epoch')
if claim[1] ~= me or claim[2] ~= epoch then
  return {'lost'}
end
local waiting = redis.call('EXISTS', inbox)
if waiting == 0 and redis.call('EXISTS', outbox) == 0 then
  redis.call('HDEL', state, 'owner')
  redis.call('ZREM', pending, session)
  return {'released'}
end
local tries = 0
if waiting == 1 then
  tries = redis.call('HINCRBY', state, 'tries', 1)
end
return {'work', tries, redis.call('LRANGE', inbox, 0, limit - 1), redis.call('LRANGE', outbox, 0, -1)}
