-- Make an incarnation the owner of a session, unless a living one owns it, and read what there is to do.
-- The head of the inbox is begun by it, unless the claimer had it already: an answer that was lost is no try.
-- The first try is counted here; a later one is told, and its turn counts it when it begins to run.
-- KEYS: 1 state, 2 inbox, 3 outbox, 4 liveness of the claimer, 5 liveness of the expected owner.
-- ARGV: 1 claimer, 2 expected owner ('' none), 3 how many inbox entries to read, 4 expected epoch ('' unknown).
-- Reply: {"dead"}: the claimer's own heartbeat is overdue; {"held", owner, epoch}: another living
--        incarnation owns it, or owner and epoch are not as expected (so a claim that the network brings late is none);
--        {"mine", epoch, tries, inbox entries, outbox entries, state fields and values}.
local state, inbox, outbox, own, previous = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local me, expected, expected_epoch = ARGV[1], ARGV[2], ARGV[4]
-- A count that is none (a damaged field) counts from the beginning.
local function whole(text)
  local value = tonumber(text or nil)
  return value and value >= 0 and value <= 2 ^ 52 and math.floor(value) or nil
end
local limit = whole(ARGV[3])
assert(limit, 'an argument is out of range')
if redis.call('EXISTS', own) == 0 then
  return {'dead'}
end
local claim = redis.call('HMGET', state, STATE.owner, STATE.epoch, STATE.tries)
local owner, epoch, tries = claim[1] or '', claim[2] or '0', whole(claim[3]) or 0
local begins = owner ~= me or tries == 0
if owner ~= me and (owner ~= expected or epoch ~= expected_epoch) then
  return {'held', owner, epoch}
elseif owner ~= me and owner ~= '' and redis.call('EXISTS', previous) == 1 then
  return {'held', owner, epoch}
end
local waiting, undelivered = redis.call('LLEN', inbox), redis.call('LLEN', outbox)
local entries = redis.call('LRANGE', inbox, 0, limit - 1)
local replies = redis.call('LRANGE', outbox, 0, -1)
local won = (whole(epoch) or 0) + (owner ~= me and 1 or 0)
-- Replies go first: the next message is not begun before they are out.
local stored = tries
if waiting == 0 or undelivered > 0 then
  tries = 0
elseif begins then
  tries = tries + 1
  stored = math.max(stored, 1)
end
local put = { STATE.owner, me, STATE.epoch, won }
if stored > 0 or claim[3] then
  put[5], put[6] = STATE.tries, stored
end
redis.call('HSET', state, unpack(put))
return {'mine', won, tries, entries, replies, redis.call('HGETALL', state)}
