-- Let go of a session with its work left in place, for the next owner.
-- KEYS: 1 state.
-- ARGV: 1 owner, 2 epoch, 3 whether the try that ends here counts (1 or 0).
-- Reply: 1, or 0 when the claim was lost.
local state = KEYS[1]
local me, epoch, counts = ARGV[1], ARGV[2], ARGV[3] == '1'
local claim = redis.call('HMGET', state, STATE.owner, STATE.epoch, STATE.tries)
if claim[1] ~= me or claim[2] ~= epoch then
  return 0
end
local tries = tonumber(claim[3] or nil) or 0
redis.call('HDEL', state, STATE.owner)
if not counts and tries >= 1 then
  redis.call('HSET', state, STATE.tries, math.floor(math.min(tries, 1e9)) - 1)
end
return 1
