-- Take what one person wrote out of a session of several; a turn that runs cannot write it back, and is begun again.
-- A turn that is parked is begun again, too: its question may quote the person. Where all that a turn was begun with
-- goes, the messages that show it are no longer those of the next turn: its answer is a new message.
-- KEYS: 1 state, 2 inbox, 3 journal, 4 pending, 5 parked.
-- ARGV: 1 the history as it was read ('' leaves it), 2 the history in its place, 3 and 4 the same of the messages for
--       Retry, 5 and 6 of those without an answer, 7 and 8 of the conversation's title, 9 session, 10 now (s), 11 whether
--       the owner's claim ends in any case (1 or 0); then two an inbox entry: as it was read, and what stays of it
--       ('' nothing).
-- Reply: {how many entries went, owner ('' none), live and live_more as they were ('' unless they are let go)};
--        {-1, owner, '', ''}: history or messages are not as they were read.
local state, inbox, journal, pending, parked = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local session, now = ARGV[9], tonumber(ARGV[10])
local fields = { STATE.history, STATE.retry_batch, STATE.unanswered, STATE.conversation }
local found = redis.call('HMGET', state, STATE.owner, STATE.epoch, unpack(fields))
local owner, epoch = found[1] or '', tonumber(found[2] or nil) or 0
epoch = epoch >= 0 and epoch <= 2 ^ 52 and math.floor(epoch) or 0
assert(#ARGV >= 11 and #ARGV % 2 == 1 and now and now >= 0 and now <= 1e12, 'an argument is missing or out of range')
local _ = redis.call('ZCARD', pending), redis.call('ZCARD', parked)
local changes = ARGV[11] == '1' and 1 or 0
for place = 1, #fields do
  local read = ARGV[2 * place - 1]
  if read ~= '' and found[2 + place] ~= read then
    return { -1, owner, '', '' }
  end
  changes = changes + (read ~= '' and 1 or 0)
end
local begun, live, more = unpack(redis.call('HMGET', state, STATE.batch_size, STATE.live, STATE.live_more))
local gone, head = 0, math.min(math.max(tonumber(begun or nil) or 1, 1), redis.call('LLEN', inbox))
for place = 12, #ARGV, 2 do
  local at, left = redis.call('LPOS', inbox, ARGV[place]), ARGV[place + 1]
  if at and left ~= '' then
    redis.call('LSET', inbox, at, left)
    gone = gone + 1
  elseif at then
    gone, head = gone + redis.call('LREM', inbox, 0, ARGV[place]), at < head and head - 1 or head
  end
end
if gone == 0 and changes == 0 then
  return { 0, owner, '', '' }
end
if head == 0 then
  redis.call('HDEL', state, STATE.live, STATE.live_more, STATE.drafted)
end
for place = 1, #fields do
  if ARGV[2 * place - 1] ~= '' then
    redis.call('HSET', state, fields[place], ARGV[2 * place])
  end
end
if owner ~= '' then
  redis.call('HSET', state, STATE.epoch, string.format('%.0f', epoch + 1))
end
redis.call('HDEL', state, STATE.owner, STATE.tries, STATE.batch_size, STATE.isolate_next, STATE.journal, STATE.parked, STATE.asked, STATE.held)
redis.call('DEL', journal)
redis.call('ZREM', parked, session)
if redis.call('LLEN', inbox) > 0 then
  redis.call('ZADD', pending, 'NX', now, session)
end
return { gone, owner, head == 0 and live or '', head == 0 and more or '' }
