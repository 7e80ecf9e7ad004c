-- Drop the first element of a list if it is the one named, so that saying it twice drops one.
-- KEYS: 1 list.
-- ARGV: 1 the element as it was read.
-- Reply: how many were dropped (0 or 1).
local list = KEYS[1]
local element = ARGV[1]
if redis.call('LINDEX', list, 0) == element then
  redis.call('LPOP', list)
  return 1
end
return 0
