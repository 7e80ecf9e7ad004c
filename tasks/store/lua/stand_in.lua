-- A /stop waits, and no worker carries it out: the owner of its session has not renewed its heartbeat since it was asked
-- to, or there is none. The bot says so in its place: the owner owns the session no more, the next one knows from
-- the state what its person was told, and the line is to be sent. An owner with replies to deliver keeps it (`evict`).
-- KEYS: 1 state, 2 inbox, 3 outbox, 4 liveness of the owner, 5 the bot's replies.
-- ARGV: 1 owner ('' none), 2 epoch, 3 when its heartbeat ends, as it was read before it was asked (ms since 1970; -2: it
--       had ended), 4 the word as it stands in the inbox, 5 its update id, 6 the line.
-- Reply: 1, or 0: the word is carried out, nothing stands before it, or a worker is there after all.
local state, inbox, outbox, liveness, replies = unpack(KEYS)
local owner, epoch, ends, word, update, line = unpack(ARGV)
assert(word and update and line, 'an argument is missing')
local claim = redis.call('HMGET', state, STATE.owner, STATE.epoch, STATE.stop_told)
if claim[3] == update then
  -- It was done, and its answer was lost.
  return 1
end
if (claim[1] or '') ~= owner or redis.call('LLEN', outbox) > 0 then
  return 0
end
if owner ~= '' then
  if claim[2] ~= epoch or string.format('%.0f', redis.call('PEXPIRETIME', liveness)) ~= ends then
    return 0
  end
end
if (redis.call('LPOS', inbox, word) or 0) == 0 then
  return 0
end
-- First the write that can fail: the state was read above, so its type is right.
redis.call('LLEN', replies)
redis.call('HDEL', state, STATE.owner)
redis.call('HSET', state, STATE.stop_told, update)
redis.call('RPUSH', replies, line)
return 1
