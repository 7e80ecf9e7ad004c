#!lua
-- Replace what is kept of a login, if it still is what was read.
-- KEYS: 1 the person's logins.
-- ARGV: 1 server, 2 what was read ('' nothing), 3 what shall stand there ('' nothing).
-- Reply: 1 when that stands there, 0 when another has written meanwhile.
local logins = KEYS[1]
local server, read, new = ARGV[1], ARGV[2], ARGV[3]
local now = redis.call('HGET', logins, server) or ''
if now == new then
  return 1
end
if now ~= read then
  return 0
end
if new == '' then
  redis.call('HDEL', logins, server)
else
  redis.call('HSET', logins, server, new)
end
return 1
