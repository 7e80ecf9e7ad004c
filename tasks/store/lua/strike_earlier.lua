#!lua
-- Change histories of a session's earlier conversations, or remove them, if their index still is what was read.
-- KEYS: 1 the earlier conversations.
-- ARGV: 1 the index's field, 2 the index as read ('' none), 3 the index that shall stand there ('' no conversation is
--       left); then fields of histories, each with what shall stand there ('' nothing).
-- Reply: 1 done, 0 another has written meanwhile.
local earlier, field, read, new = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
assert(#ARGV >= 3 and #ARGV % 2 == 1 and #ARGV < 4000, 'an argument is missing')
if (redis.call('HGET', earlier, field) or '') ~= read then
  return 0
end
if new == '' then
  redis.call('DEL', earlier)
  return 1
end
redis.call('HSET', earlier, field, new)
for place = 4, #ARGV, 2 do
  if ARGV[place + 1] == '' then
    redis.call('HDEL', earlier, ARGV[place])
  else
    redis.call('HSET', earlier, ARGV[place], ARGV[place + 1])
  end
end
return 1
