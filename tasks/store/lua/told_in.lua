-- The bot has told that a turn is stopped whose words were a draft, in this message: they come into it, unless a worker
-- has the session already.
-- KEYS: 1 state, 2 inbox.
-- ARGV: 1 the message.
-- Reply: 1, or 0: there is no draft, or a worker has the session.
local state, inbox = unpack(KEYS)
local message = ARGV[1]
assert(tonumber(message), 'no message')
local owner, drafted = unpack(redis.call('HMGET', state, STATE.owner, STATE.drafted))
local of = string.match(drafted or '', '^([^\n]*)\n')
if owner or not of or redis.call('LLEN', inbox) == 0 then
  return 0
end
redis.call('HSET', state, STATE.told_in, of .. '\n' .. message)
return 1
