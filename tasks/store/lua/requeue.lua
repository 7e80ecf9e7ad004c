-- Put a dead letter's message back at the end of its session's inbox.
-- KEYS: 1 dead, 2 inbox, 3 pending.
-- ARGV: 1 dead letter's id, 2 session, 3 the message, 4 when its session's work starts to wait (s).
-- Reply: 1, or 0 when there is no such letter (any more).
local dead, inbox, pending = KEYS[1], KEYS[2], KEYS[3]
local letter, session, message, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local since = tonumber(now)
-- Everything is looked at before the first write: a letter is not dropped unless its message is kept.
assert(since >= 0 and since <= 1e12, 'a time is out of range')
redis.call('LLEN', inbox)
redis.call('ZCARD', pending)
if redis.call('XDEL', dead, letter) == 0 then
  return 0
end
redis.call('RPUSH', inbox, message)
redis.call('ZADD', pending, 'NX', since, session)
return 1
