-- What a group said that was not for the agent comes to the supergroup that it became, before what was said there.
-- KEYS: 1 what is kept of the group, 2 what is kept of the supergroup.
-- ARGV: 1 how many are kept, 2 for how long (s).
-- Reply: how many came; 0 when it is sent again.
local theirs, ours = KEYS[1], KEYS[2]
local most, lasts = tonumber(ARGV[1]), tonumber(ARGV[2])
assert(most >= 1 and most <= 1e9 and most % 1 == 0, 'a bound is out of range')
assert(lasts >= 1 and lasts <= 1e9 and lasts % 1 == 0, 'a time is out of range')
redis.call('LLEN', ours)
local said = redis.call('LRANGE', theirs, 0, -1)
for place = #said, 1, -1 do
  -- Its number means another message there: an edit of that one must not take its place.
  redis.call('LPUSH', ours, '0' .. string.match(said[place], '^%S*(.*)$'))
end
if #said > 0 then
  redis.call('LTRIM', ours, -most, -1)
  redis.call('EXPIRE', ours, lasts)
  redis.call('DEL', theirs)
end
return #said
