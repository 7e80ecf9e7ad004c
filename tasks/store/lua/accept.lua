#!lua
-- Take in a batch of updates: each is remembered as seen, and what it brings is stored, or nothing of the batch is.
-- (The first line: a full Redis refuses the whole step; without it, one that has begun with a removal goes on.)
-- KEYS: 1 seen, 2 dead, 3 replies; then two an item: its session's inbox and its slot's pending set.
-- ARGV: 1 now (s), 2 seconds an update id is remembered, 3 inbox cap, 4 dead letters kept;
--       then four an item: update id, kind (message | control | reply | dead | none), session, payload.
-- Reply: one of "accepted", "seen", "full" an item.
local seen, dead, replies = KEYS[1], KEYS[2], KEYS[3]
local now, memory, cap, kept = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
redis.call('ZREMRANGEBYSCORE', seen, '-inf', now - memory)
local verdicts = {}
for item = 1, (#ARGV - 4) / 4 do
  local inbox, pending = KEYS[2 * item + 2], KEYS[2 * item + 3]
  local update, kind, session, payload = ARGV[4 * item + 1], ARGV[4 * item + 2], ARGV[4 * item + 3], ARGV[4 * item + 4]
  if redis.call('ZADD', seen, 'NX', now, update) == 0 then
    verdicts[item] = 'seen'
  elseif kind == 'message' and redis.call('LLEN', inbox) >= cap then
    verdicts[item] = 'full'
  else
    verdicts[item] = 'accepted'
    if kind == 'message' or kind == 'control' then
      redis.call('RPUSH', inbox, payload)
      redis.call('ZADD', pending, 'NX', now, session)
    elseif kind == 'reply' then
      redis.call('RPUSH', replies, payload)
    elseif kind == 'dead' then
      redis.call('XADD', dead, 'MAXLEN', '~', kept, '*', 'letter', payload)
    end
  end
end
redis.call('EXPIRE', seen, memory)
return verdicts
