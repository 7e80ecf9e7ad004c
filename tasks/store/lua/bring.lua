-- A message to the agent takes along what was said before it. An update that comes again takes the same along.
-- KEYS: 1 what is kept of the session, 2 what this update takes along.
-- ARGV: 1 for how long what it takes along is known (s).
-- Reply: what was said, oldest first.
local kept, brought = KEYS[1], KEYS[2]
local lasts = tonumber(ARGV[1])
assert(lasts >= 1 and lasts <= 1e9 and lasts % 1 == 0, 'a time is out of range')
redis.call('LLEN', kept)
if redis.call('LLEN', brought) == 0 and redis.call('EXISTS', kept) == 1 then
  redis.call('RENAME', kept, brought)
  redis.call('EXPIRE', brought, lasts)
end
return redis.call('LRANGE', brought, 0, -1)
