-- The session of a new supergroup takes what is left in its group's; later again (something came late) behind its own.
-- KEYS: new 1 state, 2 inbox, 3 outbox, 4 pending, 5 notes; old 6 state, 7 inbox, 8 outbox, 9 pending, 10 notes;
--       11 liveness of the old one's expected owner, 12 the old one's journal,
--       13 and 14 the earlier conversations of the new and of the old one.
-- ARGV: 1 owner, 2 epoch, 3 new session, 4 old session, 5 expected owner of the old one ('' none), 6 its epoch,
--       7 now (s), 8 plan (JSON, below), 9 history ('' leaves it), 10 the old one's last commit ('' none): an owner
--       that was wrongly taken for dead may write until here.
--       plan: {set: [field, value, ...] of the new state, head: the same, of what goes where the head of the inbox
--       goes, replies: [the old outbox, as it is to be sent here]}
-- Reply: {"lost"}: the claim is not the caller's; {"held"}: the old one is, or is not as expected;
--        {"fetched", 1 if the head of the inbox is another one now, state fields and values}.
local state, inbox, outbox, pending, notes = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local old_state, old_inbox, old_outbox, old_pending, old_notes = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local liveness, old_journal, earlier, old_earlier = unpack(KEYS, 11, 14)
local me, epoch, new, old, history = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[9]
local expected_owner, expected_epoch, expected_commit = ARGV[5], ARGV[6], ARGV[10]
local now, plan = ARGV[7], cjson.decode(ARGV[8])
local claim = redis.call('HMGET', state, STATE.owner, STATE.epoch, STATE.migrating_from)
if claim[1] ~= me or claim[2] ~= epoch then
  return { 'lost' }
elseif claim[3] ~= old then
  -- Sent twice: the first one did it.
  return { 'fetched', 0, redis.call('HGETALL', state) }
end
-- The plan was made of what the caller read: it holds while owner, epoch, last commit and outbox are the same.
local left = redis.call('HMGET', old_state, STATE.owner, STATE.epoch, STATE.migration_done, STATE.commit)
local owner, fetched_before = left[1], left[3]
local same = (owner or '') == expected_owner and (left[2] or '0') == expected_epoch
same = same and (left[4] or '') == expected_commit and redis.call('LLEN', old_outbox) == #plan.replies
if not same or (owner and redis.call('EXISTS', liveness) == 1) then
  return { 'held' }
end

-- Everything is looked at before the first write: the fetch happens as a whole or not at all.
local entries = redis.call('LRANGE', old_inbox, 0, -1)
local their_notes = redis.call('HGETALL', old_notes)
local mine = redis.call('LLEN', inbox)
local _ = redis.call('LLEN', outbox), redis.call('ZCARD', pending), redis.call('HLEN', notes)
local since = tonumber(redis.call('ZSCORE', old_pending, old) or now)
assert(since == since, 'not a time')
-- The first time their messages are older and come before our own; what came late comes behind.
local replaced = #entries > 0 and (not fetched_before or mine == 0)
local set = { STATE.epoch, epoch }
local gone = { STATE.migrating_from }
if replaced then
  -- How often the head was begun, and with how many others, goes where the head goes.
  set = { STATE.epoch, epoch, unpack(plan.head) }
  gone = { STATE.migrating_from, STATE.tries, STATE.batch_size, STATE.isolate_next }
end
for _, text in ipairs(plan.set) do
  set[#set + 1] = text
end
assert(#set % 2 == 0 and #set < 4000 and table.concat(set) .. table.concat(plan.replies), 'not fields and values')

-- The writes.
-- LPUSH puts each in front of the one before it, so it takes the last one first.
for place = 1, #entries do
  local entry = entries[fetched_before and place or #entries + 1 - place]
  redis.call(fetched_before and 'RPUSH' or 'LPUSH', inbox, entry)
end
for _, reply in ipairs(plan.replies) do
  redis.call('RPUSH', outbox, reply)
end
for place = 1, #their_notes, 2 do
  redis.call('HSETNX', notes, their_notes[place], their_notes[place + 1])
end
redis.call('HDEL', state, unpack(gone))
redis.call('HSET', state, unpack(set))
if redis.call('EXISTS', old_earlier) == 1 then
  redis.call('RENAME', old_earlier, earlier)
end
if history ~= '' then
  redis.call('HSET', state, STATE.history, history)
end
redis.call('ZADD', pending, 'NX', math.max(0, math.min(since, 1e12)), new)
-- Of the old one stays where it went, and the fence: a claim on it that comes late must not begin at epoch 0.
redis.call('DEL', old_state, old_inbox, old_outbox, old_notes, old_journal)
redis.call('HSET', old_state, STATE.epoch, expected_epoch, STATE.migrated_to, new, STATE.migration_done, 1)
redis.call('ZREM', old_pending, old)
return { 'fetched', replaced and 1 or 0, redis.call('HGETALL', state) }
