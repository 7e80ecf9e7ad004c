-- Make an incarnation the owner of a session, if nobody living owns it, and read what there is to do.
-- KEYS: 1 state, 2 inbox, 3 outbox, 4 liveness of the claimer, 5 liveness of the expected owner.
-- ARGV: 1 claimer, 2 expected owner ('' none), 3 how many inbox entries to read.
-- Reply: {"dead"}: the claimer's own heartbeat is overdue; {"held", owner}: somebody else's, or not who was expected;
--        {"mine", epoch, tries, inbox entries, outbox entries, state fields and values}.
local state, inbox, outbox, own, previous = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local me, expected, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
if redis.call('EXISTS', own) == 0 then
  return {'dead'}
end
local owner = redis.call('HGET', state, 'owner') or ''
if owner ~= me then
  if owner ~= expected or (owner ~= '' and redis.call('EXISTS', previous) == 1) then
    return {'held', owner}
  end
  redis.call('HSET', state, 'owner', me)
  redis.call('HINCRBY', state, 'epoch', 1)
end
local tries = 0
-- Replies go first: the next message is not begun before they are out.
if redis.call('EXISTS', inbox) == 1 and redis.call('EXISTS', outbox) == 0 then
  tries = redis.call('HINCRBY', state, 'tries', 1)
end
return {
  'mine', tonumber(redis.call('HGET', state, 'epoch')), tries,
  redis.call('LRANGE', inbox, 0, limit - 1), redis.call('LRANGE', outbox, 0, -1), redis.call('HGETALL', state),
}
