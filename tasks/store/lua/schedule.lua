-- Keep a reminder, unless those who wait with it are too many: in all, in its session, in its chat, of its person.
-- KEYS: 1 reminders; then the sets that it is counted in.
-- ARGV: 1 the reminder, 2 when it is due (s), 3 now (s); then the most that each of the keys may hold.
-- Reply: 0 kept (or kept before), else the place of a key that is full.
local reminder, due, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
assert(now >= 0 and due >= now and due <= 1e12 and #ARGV == #KEYS + 3, 'an argument is out of range or missing')
-- A worker of an older release takes a reminder out of the first key only; what is past due counts no more.
local past, full = now - 3600, 0
for place = #KEYS, 1, -1 do
  local waiting = redis.call('ZCOUNT', KEYS[place], place == 1 and '-inf' or past, '+inf')
  if waiting >= tonumber(ARGV[place + 3]) then
    full = place
  end
end
if redis.call('ZSCORE', KEYS[1], reminder) then
  return 0
elseif full > 0 then
  return full
end
for place = 1, #KEYS do
  redis.call('ZADD', KEYS[place], due, reminder)
  if place > 1 then
    redis.call('ZREMRANGEBYSCORE', KEYS[place], '-inf', past)
    redis.call('EXPIRE', KEYS[place], math.max(redis.call('TTL', KEYS[place]), math.ceil(due - now) + 86400))
  end
end
return 0
