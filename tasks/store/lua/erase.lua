-- Remove a session with everything that it keeps; a turn that runs cannot write it back.
-- KEYS: 1 state, 2 pending, 3 parked, 4 inbox, 5 outbox; then all other keys of the session.
-- ARGV: 1 session; 2 a time (s): the session goes only if it was touched at or before it and nothing waits in it ('': it
--       goes in any case), 3 now (s): when a state was touched that does not say so.
-- Reply: {how many keys went, owner ('' none)}. While it has an owner its state stays, with a new epoch and nothing else.
local state, pending, parked, session, before = KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2]
local found = redis.call('HMGET', state, STATE.owner, STATE.epoch, STATE.touched, STATE.migrating_from)
local owner, epoch = found[1] or '', tonumber(found[2] or nil) or 0
epoch = epoch >= 0 and epoch <= 2 ^ 52 and math.floor(epoch) or 0
if before ~= '' then
  local limit, now, touched = tonumber(before), tonumber(ARGV[3]), tonumber(found[3] or nil)
  assert(limit and now and limit >= 0 and now >= limit and now <= 1e12, 'a time is out of range')
  local busy = redis.call('ZSCORE', pending, session) or owner ~= '' or found[4]
  local waiting = redis.call('EXISTS', KEYS[4], KEYS[5]) > 0
  if not touched and redis.call('EXISTS', state) == 1 then
    -- A Redis that is full refuses the mark; the sweep has to come to the sessions behind this one all the same.
    redis.pcall('HSET', state, STATE.touched, string.format('%.0f', now))
  end
  if busy or waiting or not touched or touched > limit then
    return { 0, owner }
  end
end
redis.call('ZCARD', parked)
redis.call('ZREM', pending, session)
redis.call('ZREM', parked, session)
local gone = 0
for place = 4, #KEYS do
  gone = gone + redis.call('DEL', KEYS[place])
end
gone = gone + redis.call('DEL', state)
if owner ~= '' then
  redis.call('HSET', state, STATE.epoch, string.format('%.0f', epoch + 1))
end
return { gone, owner }
