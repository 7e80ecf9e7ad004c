-- Make an incarnation the owner of a session, if nobody living owns it, and read what there is to do.
-- The head of the inbox is begun by it, unless the claimer had it already: an answer that was lost is no try.
-- KEYS: 1 state, 2 inbox, 3 outbox, 4 liveness of the claimer, 5 liveness of the expected owner.
-- ARGV: 1 claimer, 2 expected owner ('' none), 3 how many inbox entries to read, 4 expected epoch ('' unknown).
-- Reply: {"dead"}: the claimer's own heartbeat is overdue; {"held", owner, epoch}: somebody else's, or not what was
--        expected (so a claim that the network brings late is none);
--        {"mine", epoch, tries, inbox entries, outbox entries, state fields and values}.
local state, inbox, outbox, own, previous = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local me, expected, limit, expected_epoch = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
if redis.call('EXISTS', own) == 0 then
  return {'dead'}
end
local claim = redis.call('HMGET', state, 'owner', 'epoch', 'tries')
local owner, epoch, tries = claim[1] or '', claim[2] or '0', tonumber(claim[3] or 0)
local begins = owner ~= me or tries == 0
if owner ~= me then
  if owner ~= expected or epoch ~= expected_epoch or (owner ~= '' and redis.call('EXISTS', previous) == 1) then
    return {'held', owner, epoch}
  end
  redis.call('HSET', state, 'owner', me)
  redis.call('HINCRBY', state, 'epoch', 1)
end
-- Replies go first: the next message is not begun before they are out.
if redis.call('EXISTS', inbox) == 0 or redis.call('EXISTS', outbox) == 1 then
  tries = 0
elseif begins then
  tries = redis.call('HINCRBY', state, 'tries', 1)
end
return {
  'mine', tonumber(redis.call('HGET', state, 'epoch')), tries,
  redis.call('LRANGE', inbox, 0, limit - 1), redis.call('LRANGE', outbox, 0, -1), redis.call('HGETALL', state),
}
