-- A control word waits, and the owner of its session has not renewed its heartbeat since it was asked to: it owns the
-- session no more, and the next claim raises the epoch. An owner with replies to deliver keeps it: its turn has
-- its answer already, and two of them would deliver it.
-- KEYS: 1 state, 2 outbox, 3 liveness of the owner.
-- ARGV: 1 owner, 2 epoch, 3 when its heartbeat ends, as it was read before it was asked (ms since 1970; -2: it had ended).
-- Reply: 1, or 0: it has renewed its heartbeat, or does not own the session any more, or has replies to deliver.
local state, outbox, liveness = KEYS[1], KEYS[2], KEYS[3]
local owner, epoch, ends = ARGV[1], ARGV[2], ARGV[3]
local claim = redis.call('HMGET', state, STATE.owner, STATE.epoch)
if claim[1] ~= owner or claim[2] ~= epoch or redis.call('LLEN', outbox) > 0 then
  return 0
end
if string.format('%.0f', redis.call('PEXPIRETIME', liveness)) ~= ends then
  return 0
end
redis.call('HDEL', state, STATE.owner)
return 1
