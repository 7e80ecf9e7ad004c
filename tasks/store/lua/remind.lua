-- A reminder is due: move it into its session's inbox.
-- KEYS: 1 reminders, 2 inbox, 3 pending.
-- ARGV: 1 the reminder as it was read, 2 session, 3 now (s).
-- Reply: 1 moved, 0 somebody else did.
local reminders, inbox, pending = KEYS[1], KEYS[2], KEYS[3]
local reminder, session, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
-- Everything is looked at before the first write: a reminder is not dropped unless it is kept.
assert(now >= 0 and now <= 1e12, 'a time is out of range')
redis.call('LLEN', inbox)
redis.call('ZCARD', pending)
if redis.call('ZREM', reminders, reminder) == 0 then
  return 0
end
redis.call('RPUSH', inbox, reminder)
redis.call('ZADD', pending, 'NX', now, session)
return 1
