-- A group became a supergroup: its session moves to the new id, whose own waiting messages come after the old ones.
-- KEYS: old state, inbox, outbox, pending, alias; new state, inbox, outbox, pending.
-- ARGV: 1 owner, 2 epoch, 3 old session, 4 new session, 5 now (s).
-- Reply: 1, or 0 when the claim was lost.
local claim = redis.call('HMGET', KEYS[1], 'owner', 'epoch')
if claim[1] ~= ARGV[1] or claim[2] ~= ARGV[2] then
  return 0
end
for list = 2, 3 do
  for _, entry in ipairs(redis.call('LRANGE', KEYS[list + 5], 0, -1)) do
    redis.call('RPUSH', KEYS[list], entry)
  end
  if redis.call('EXISTS', KEYS[list]) == 1 then
    redis.call('RENAME', KEYS[list], KEYS[list + 5])
  end
end
redis.call('RENAME', KEYS[1], KEYS[6])
redis.call('HDEL', KEYS[6], 'owner', 'live')
redis.call('ZREM', KEYS[4], ARGV[3])
redis.call('ZADD', KEYS[9], 'NX', ARGV[5], ARGV[4])
redis.call('SET', KEYS[5], ARGV[4])
return 1
