-- Strike a member from the list, if its heartbeat has stopped.
-- KEYS: 1 members, 2 the member's liveness.
-- ARGV: 1 incarnation.
-- Reply: 1 struck, 0 it lives (or was not listed).
local members, liveness = KEYS[1], KEYS[2]
local incarnation = ARGV[1]
if redis.call('EXISTS', liveness) == 1 then
  return 0
end
return redis.call('HDEL', members, incarnation)
