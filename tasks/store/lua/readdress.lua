-- A group became a supergroup: one of its reminders comes to the new one.
-- KEYS: 1 reminders; then the sets that it is counted in, and as many that it is counted in from now on.
-- ARGV: 1 the reminder as it was read, 2 as it reads from now on.
-- Reply: 1, or 0 where it came meanwhile, or was moved or taken back.
local reminder, moved = ARGV[1], ARGV[2]
assert(#ARGV == 2 and #KEYS % 2 == 1, 'an argument is missing')
-- Everything is looked at before the first write: a reminder is not dropped unless it is kept.
for _, key in ipairs(KEYS) do
  redis.call('ZCARD', key)
end
local due = redis.call('ZSCORE', KEYS[1], reminder)
local lifetime = 86400
for place = 2, #KEYS do
  lifetime = math.max(lifetime, redis.call('TTL', KEYS[place]))
end
for _, key in ipairs(KEYS) do
  redis.call('ZREM', key, reminder)
end
if not due then
  return 0
end
redis.call('ZADD', KEYS[1], due, moved)
for place = (#KEYS - 1) / 2 + 2, #KEYS do
  redis.call('ZADD', KEYS[place], due, moved)
  redis.call('EXPIRE', KEYS[place], lifetime)
end
return 1
