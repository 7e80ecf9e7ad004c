#!lua
-- Keep a copy of a session's history among its earlier conversations; the commit behind it begins another, or goes on
-- with an earlier one. Sent twice, it does the same.
-- KEYS: 1 state, 2 earlier conversations.
-- ARGV: 1 owner, 2 epoch, 3 the id of the last commit ('*' any), 4 the index's field, 5 the index, 6 the number that the
--       history gets; then the numbers that go.
-- Reply: 1 done, or it comes late, behind that commit; 0 the claim is not the caller's.
local state, earlier = KEYS[1], KEYS[2]
local claim = redis.call('HMGET', state, STATE.owner, STATE.epoch, STATE.history, STATE.commit)
if claim[1] ~= ARGV[1] or claim[2] ~= ARGV[2] then
  return 0
end
assert(#ARGV >= 6 and #ARGV < 4000, 'an argument is missing')
if ARGV[3] ~= '*' and ARGV[3] ~= (claim[4] or '') then
  return 1
end
redis.call('HSET', earlier, ARGV[4], ARGV[5], ARGV[6], claim[3] or '')
for place = 7, #ARGV do
  redis.call('HDEL', earlier, ARGV[place])
end
return 1
