-- A control word waits, and no worker carries it out: the owner of its session has not renewed its heartbeat since it
-- was asked to, or there is none. The bot says so in its place: the owner owns the session no more, the next one knows
-- from the word what its person was told, and the line is to be sent. An owner with replies to deliver keeps it.
-- KEYS: 1 state, 2 inbox, 3 outbox, 4 liveness of the owner, 5 the bot's replies.
-- ARGV: 1 owner ('' none), 2 epoch, 3 when its heartbeat ends, as it was read before it was asked (ms since 1970; -2: it
--       had ended), 4 the word as it stands in the inbox, 5 the same as one of which its person was told, 6 the line.
-- Reply: 1, or 0: the word is carried out, or a worker is there after all.
local state, inbox, outbox, liveness, replies = unpack(KEYS)
local owner, epoch, ends, word, told, line = unpack(ARGV)
assert(word and told and line, 'an argument is missing')
local claim = redis.call('HMGET', state, STATE.owner, STATE.epoch)
local place = redis.call('LPOS', inbox, word)
if not place then
  -- It was done, and its answer was lost; or it is carried out.
  return redis.call('LPOS', inbox, told) and 1 or 0
end
if (claim[1] or '') ~= owner or redis.call('LLEN', outbox) > 0 then
  return 0
end
if owner ~= '' then
  if claim[2] ~= epoch or string.format('%.0f', redis.call('PEXPIRETIME', liveness)) ~= ends then
    return 0
  end
end
redis.call('LLEN', replies)
redis.call('LSET', inbox, place, told)
redis.call('HDEL', state, STATE.owner)
redis.call('RPUSH', replies, line)
return 1
