-- Read what is next in a claimed session, or, when nothing is left, release it. Never both: no wake-up is lost.
-- A session whose turn is parked is released while its inbox holds no more than its owner has seen.
-- KEYS: 1 state, 2 inbox, 3 outbox, 4 pending, 5 parked.
-- ARGV: 1 owner, 2 epoch, 3 session, 4 how many inbox entries to read, 5 whether this call begins the head of the inbox
--       (1 or 0), 6 attempt number to record; '' increments the stored counter. Passing it makes a repeated call idempotent.
--       7 how many entries the owner of a parked turn has seen ('' none is parked), 8 when that turn is given up (s).
-- Reply: {"lost"}: the claim is not the caller's; {"released"}; {"work", tries, inbox entries, outbox entries,
--        the session whose things are still to be fetched, or ""}.
local state, inbox, outbox, pending, parked = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local me, epoch, session, told = ARGV[1], ARGV[2], ARGV[3], ARGV[6]
-- A count that is none (a damaged field) counts from the beginning.
local function whole(text)
  local value = tonumber(text or nil)
  return value and value >= 0 and value <= 1e9 and math.floor(value) or nil
end
local limit, begun, seen, ends = whole(ARGV[4]), whole(ARGV[5]), whole(ARGV[7]), tonumber(ARGV[8])
assert(limit and begun and ends and ends >= 0 and ends <= 1e12, 'an argument is out of range')
local claim = redis.call('HMGET', state, STATE.owner, STATE.epoch, STATE.tries, STATE.migrating_from)
if claim[1] ~= me or claim[2] ~= epoch then
  return {'lost'}
end
local waiting, undelivered = redis.call('LLEN', inbox), redis.call('LLEN', outbox)
if undelivered == 0 and not claim[4] and (waiting == 0 or waiting == seen) then
  -- First the writes that can fail: the state was read above, so its type is right.
  local _ = redis.call('ZCARD', pending), redis.call('ZCARD', parked)
  redis.call('ZREM', pending, session)
  if waiting > 0 then
    redis.call('ZADD', parked, ends, session)
    redis.call('HDEL', state, STATE.tries)
  else
    redis.call('ZREM', parked, session)
  end
  redis.call('HDEL', state, STATE.owner)
  return {'released'}
end
local entries = redis.call('LRANGE', inbox, 0, limit - 1)
local replies = redis.call('LRANGE', outbox, 0, -1)
local tries = 0
-- Replies go first: the next message is not begun before they are out.
if waiting > 0 and undelivered == 0 then
  tries = whole(told) or (whole(claim[3]) or 0) + begun
  redis.call('HSET', state, STATE.tries, tries)
end
return {'work', tries, entries, replies, claim[4] or ''}
