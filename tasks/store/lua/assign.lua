-- Store a new assignment of slots, if the stored one is still the one it was computed from.
-- KEYS: 1 assignment.
-- ARGV: 1 the version it was computed from, then slot and incarnation, slot and incarnation, ...
-- Reply: 1 stored, 0 another worker was faster.
local assignment = KEYS[1]
local from = tonumber(ARGV[1])
assert(from and from >= 0 and from <= 2 ^ 52 and #ARGV % 2 == 1, 'an argument is out of range or missing')
-- A damaged version is none, as its reader takes it (membership.py).
local stored = string.match(redis.call('HGET', assignment, 'version') or '', '^%d+$') or '0'
if (#stored <= 15 and tonumber(stored) or 0) ~= from then
  return 0
end
redis.call('DEL', assignment)
redis.call('HSET', assignment, 'version', from + 1)
for place = 2, #ARGV, 2 do
  redis.call('HSET', assignment, ARGV[place], ARGV[place + 1])
end
return 1
