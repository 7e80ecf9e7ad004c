-- What was said in a group, not to the agent, is kept for the next message to it; an edit takes its message's place.
-- KEYS: 1 what is kept of the session, 2 update ids that were seen.
-- ARGV: 1 update id, 2 message id, 3 what was said, 4 '1' for an edit, 5 how many are kept, 6 for how long (s).
-- Reply: 1 kept, 0 the update was taken before, or it edits what is kept no longer.
local kept, seen = KEYS[1], KEYS[2]
local update, message, said, edited = ARGV[1], ARGV[2] .. ' ', ARGV[3], ARGV[4] == '1'
local most, lasts = tonumber(ARGV[5]), tonumber(ARGV[6])
assert(most >= 1 and most <= 1e9 and most % 1 == 0, 'a bound is out of range')
assert(lasts >= 1 and lasts <= 1e9 and lasts % 1 == 0, 'a time is out of range')
redis.call('LLEN', kept)
if redis.call('ZSCORE', seen, update) then
  return 0
end
for place, one in ipairs(redis.call('LRANGE', kept, 0, -1)) do
  if string.sub(one, 1, #message) == message then
    redis.call('LSET', kept, place - 1, message .. said)
    return 1
  end
end
if edited then
  return 0
end
redis.call('RPUSH', kept, message .. said)
redis.call('LTRIM', kept, -most, -1)
redis.call('EXPIRE', kept, lasts)
return 1
