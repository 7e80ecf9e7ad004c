-- A reminder is due: move it into its session's inbox.
-- KEYS: 1 reminders, 2 inbox, 3 pending; then the sets that it is counted in.
-- ARGV: 1 the reminder as it was read, 2 session, 3 now (s).
-- Reply: 1 moved, 0 another worker did.
local reminders, inbox, pending = KEYS[1], KEYS[2], KEYS[3]
local reminder, session, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
-- Everything is looked at before the first write: a reminder is not dropped unless it is kept.
assert(now >= 0 and now <= 1e12, 'a time is out of range')
redis.call('LLEN', inbox)
redis.call('ZCARD', pending)
for place = 4, #KEYS do
  redis.call('ZCARD', KEYS[place])
end
local moved = redis.call('ZREM', reminders, reminder)
for place = 4, #KEYS do
  redis.call('ZREM', KEYS[place], reminder)
end
if moved == 1 then
  redis.call('RPUSH', inbox, reminder)
  redis.call('ZADD', pending, 'NX', now, session)
end
return moved
