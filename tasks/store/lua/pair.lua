-- A pairing code is used: it is void from now on, and its person is let in.
-- KEYS: 1 the code that is offered, 2 people.
-- ARGV: 1 its digest as it was read, 2 the person's id, 3 the person as JSON, 4 field that counts changes.
-- Reply: 1 let in, 0 the code was used, has expired or was replaced.
local pairing, people = KEYS[1], KEYS[2]
local digest, who, person, count = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local offered = redis.call('HGET', pairing, 'digest')
if not offered or offered ~= digest then
  return 0
end
assert(tonumber(redis.call('HGET', people, count) or '0'), 'the count of changes is no number')
redis.call('HINCRBY', people, count, 1)
redis.call('HSET', people, who, person)
redis.call('DEL', pairing)
return 1
