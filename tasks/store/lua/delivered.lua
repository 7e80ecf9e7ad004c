-- Telegram has taken the oldest reply of a session: drop it. Named by its bytes, so that saying it twice drops one.
-- KEYS: 1 state, 2 outbox, 3 the chat's last answers.
-- ARGV: 1 owner, 2 epoch, 3 the reply as it was read, 4 the mark of the message that shows it, or empty.
-- Reply: 1, or 0 when the claim was lost.
local state, outbox = KEYS[1], KEYS[2]
local me, epoch, reply = ARGV[1], ARGV[2], ARGV[3]
local claim = redis.call('HMGET', state, STATE.owner, STATE.epoch)
if claim[1] ~= me or claim[2] ~= epoch then
  return 0
end
if redis.call('LINDEX', outbox, 0) == reply then
  if ARGV[4] ~= '' then
    redis.call('LPUSH', KEYS[3], ARGV[4])
    -- A chat's last 50 answers can be judged, for a week.
    redis.call('LTRIM', KEYS[3], 0, 49)
    redis.call('EXPIRE', KEYS[3], 604800)
  end
  redis.call('LPOP', outbox)
end
return 1
