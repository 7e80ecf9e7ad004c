-- Take a reminder back.
-- KEYS: 1 reminders; then the sets that it is counted in.
-- ARGV: 1 the reminder as it was read.
-- Reply: 1 taken back, 0 it was due before (or taken back).
local reminder = ARGV[1]
for _, key in ipairs(KEYS) do
  redis.call('ZCARD', key)
end
for place = #KEYS, 2, -1 do
  redis.call('ZREM', KEYS[place], reminder)
end
return redis.call('ZREM', KEYS[1], reminder)
