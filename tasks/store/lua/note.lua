-- Write one field of a claimed session's state.
-- KEYS: 1 state.
-- ARGV: 1 owner, 2 epoch, 3 field, 4 value ('' removes it).
-- Reply: 1, or 0 when the claim was lost.
local state = KEYS[1]
local me, epoch, field, value = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local claim = redis.call('HMGET', state, STATE.owner, STATE.epoch)
if claim[1] ~= me or claim[2] ~= epoch then
  return 0
end
if value == '' then
  redis.call('HDEL', state, field)
else
  redis.call('HSET', state, field, value)
end
return 1
