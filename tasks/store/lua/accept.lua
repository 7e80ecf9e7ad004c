#!lua
-- Take in a batch of updates: each is remembered as seen, and what it brings is stored and rung for, or nothing of the
-- batch is.
-- (The first line: a full Redis refuses the whole step; without it, one that has begun with a removal goes on.)
-- KEYS: 1 seen, 2 dead, 3 replies; then three an item: its session's inbox, its slot's pending set and queue.
-- ARGV: 1 now (s), 2 seconds an update id is remembered, 3 inbox cap, 4 dead letters kept, 5 doorbells a queue may hold;
--       then five an item: update id, kind (message | control | reply | dead | none), session, payload,
--       doorbell (empty: none).
-- Reply: one of "accepted", "seen", "full" an item.
local seen, dead, replies = KEYS[1], KEYS[2], KEYS[3]
local now, memory, cap, kept, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
redis.call('ZREMRANGEBYSCORE', seen, '-inf', now - memory)
local verdicts = {}
for item = 1, (#ARGV - 5) / 5 do
  local inbox, pending, queue = KEYS[3 * item + 1], KEYS[3 * item + 2], KEYS[3 * item + 3]
  local update, kind, session, payload, bell = unpack(ARGV, 5 * item + 1, 5 * item + 5)
  if redis.call('ZADD', seen, 'NX', now, update) == 0 then
    verdicts[item] = 'seen'
  elseif kind == 'message' and redis.call('LLEN', inbox) >= cap then
    verdicts[item] = 'full'
  else
    verdicts[item] = 'accepted'
    if kind == 'message' or kind == 'control' then
      redis.call('RPUSH', inbox, payload)
      redis.call('ZADD', pending, 'NX', now, session)
      if bell ~= '' and redis.call('LLEN', queue) < most then
        redis.call('LPUSH', queue, bell)
      end
    elseif kind == 'reply' then
      redis.call('RPUSH', replies, payload)
    elseif kind == 'dead' then
      redis.call('XADD', dead, 'MAXLEN', '~', kept, '*', 'letter', payload)
    end
  end
end
redis.call('EXPIRE', seen, memory)
return verdicts
