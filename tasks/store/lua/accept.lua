#!lua
-- Take in a batch of updates, whole or not at all: each update is remembered as seen, its message is stored, and its
-- doorbell goes to the slot's queue. Every argument and key is looked at before the first write.
-- The `#!lua` shebang makes Redis reject the script up front when out of memory; without it a script whose first write
-- frees memory continues half-way.
-- KEYS: 1 seen, 2 dead, 3 replies; then three an item: its session's inbox, its slot's pending set and queue.
-- ARGV: 1 now (s), 2 seconds an update id is remembered, 3 inbox cap, 4 dead letters kept, 5 doorbells a queue may hold,
--       6 control words an inbox takes beyond its cap; then six an item: update id,
--       kind (message | control | dead | none), session, payload, doorbell ('' none), the bot's own reply ('' none).
-- Reply: one of "accepted", "seen", "full" an item.
local function number(text, least, most)
  local value = tonumber(text)
  assert(value and value >= least and value <= most, 'an argument is out of range')
  return value
end
local seen, dead, replies = KEYS[1], KEYS[2], KEYS[3]
local now, memory = number(ARGV[1], 0, 1e12), math.ceil(number(ARGV[2], 1, 1e9))
local cap, kept = number(ARGV[3], 0, 1e9), math.floor(number(ARGV[4], 0, 1e9))
local most, room = number(ARGV[5], 0, 1e9), number(ARGV[6], 0, 1e9)
local items = (#ARGV - 6) / 6
assert(#KEYS == 3 + 3 * items, 'an item is not whole')
local verdicts, known, waiting = {}, {}, {}
for item = 1, items do
  local inbox, pending, queue = unpack(KEYS, 3 * item + 1, 3 * item + 3)
  local update, kind, _, _, doorbell, reply = unpack(ARGV, 6 * item + 1, 6 * item + 6)
  local before = tonumber(redis.call('ZSCORE', seen, update) or nil)
  local verdict = (known[update] or (before and before > now - memory)) and 'seen' or 'accepted'
  if verdict == 'accepted' and (kind == 'message' or kind == 'control') then
    waiting[inbox] = waiting[inbox] or redis.call('LLEN', inbox)
    if waiting[inbox] >= (kind == 'message' and cap or cap + room) then
      verdict = 'full'
    else
      waiting[inbox] = waiting[inbox] + 1
      redis.call('ZCARD', pending)
      waiting[queue] = doorbell ~= '' and (waiting[queue] or redis.call('LLEN', queue)) or waiting[queue]
    end
  elseif verdict == 'accepted' and kind == 'dead' then
    redis.call('XLEN', dead)
  end
  if reply ~= '' then redis.call('LLEN', replies) end
  known[update], verdicts[item] = true, verdict
end
redis.call('ZREMRANGEBYSCORE', seen, '-inf', now - memory)
for item = 1, items do
  local inbox, pending, queue = unpack(KEYS, 3 * item + 1, 3 * item + 3)
  local update, kind, session, payload, doorbell, reply = unpack(ARGV, 6 * item + 1, 6 * item + 6)
  redis.call('ZADD', seen, 'NX', now, update)
  if verdicts[item] == 'accepted' and (kind == 'message' or kind == 'control') then
    redis.call('RPUSH', inbox, payload)
    redis.call('ZADD', pending, 'NX', now, session)
    if doorbell ~= '' and waiting[queue] < most then
      waiting[queue] = redis.call('LPUSH', queue, doorbell)
    end
  elseif verdicts[item] == 'accepted' and kind == 'dead' then
    redis.call('XADD', dead, 'MAXLEN', '~', kept, '*', 'letter', payload)
  end
  if verdicts[item] == 'accepted' and reply ~= '' then redis.call('RPUSH', replies, reply) end
end
redis.call('EXPIRE', seen, memory)
return verdicts
