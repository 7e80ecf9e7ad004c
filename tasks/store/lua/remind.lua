-- A reminder is due: move it into its session's inbox, unless it is passed over, and keep the next one of its series.
-- KEYS: 1 reminders, 2 inbox, 3 pending; then the sets that it is counted in.
-- ARGV: 1 the reminder as it was read, 2 session, 3 now (s); then, where they differ, 4 the inbox entry ('': the
-- reminder), 5 the next reminder ('': there is none), 6 when that one is due (s), 7 'over': the inbox gets nothing.
-- Reply: 1 moved, 0 another worker did.
local reminders, inbox, pending = KEYS[1], KEYS[2], KEYS[3]
local reminder, session, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
local entry, following, due = ARGV[4] or '', ARGV[5] or '', tonumber(ARGV[6] or '0')
-- Everything is looked at before the first write: a reminder is not dropped unless it is kept.
assert(now >= 0 and now <= 1e12, 'a time is out of range')
assert(due >= 0 and due <= 1e12, 'the next time is out of range')
redis.call('LLEN', inbox)
redis.call('ZCARD', pending)
for place = 4, #KEYS do
  redis.call('ZCARD', KEYS[place])
end
local moved = redis.call('ZREM', reminders, reminder)
for place = 4, #KEYS do
  redis.call('ZREM', KEYS[place], reminder)
end
if moved == 1 and ARGV[7] ~= 'over' then
  redis.call('RPUSH', inbox, entry == '' and reminder or entry)
  redis.call('ZADD', pending, 'NX', now, session)
end
if moved == 1 and following ~= '' then
  redis.call('ZADD', reminders, due, following)
  for place = 4, #KEYS do
    redis.call('ZADD', KEYS[place], due, following)
    redis.call('EXPIRE', KEYS[place], math.max(redis.call('TTL', KEYS[place]), math.ceil(due - now) + 86400))
  end
end
return moved
