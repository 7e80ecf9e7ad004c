-- Take what one person wrote out of a session of several; a turn that runs cannot write it back, and is begun again.
-- KEYS: 1 state, 2 inbox, 3 journal.
-- ARGV: 1 the history as it was read ('' leaves it), 2 the history in its place, 3 and 4 the same of the messages for
--       Retry; then the inbox entries to remove, as they were read.
-- Reply: {how many entries went, owner ('' none)}; {-1, owner}: history or messages are not as they were read.
local state, inbox, journal = KEYS[1], KEYS[2], KEYS[3]
local found = redis.call('HMGET', state, STATE.owner, STATE.epoch, STATE.history, STATE.retry_batch)
local owner, epoch = found[1] or '', tonumber(found[2] or nil) or 0
epoch = epoch >= 0 and epoch <= 2 ^ 52 and math.floor(epoch) or 0
assert(#ARGV >= 4, 'an argument is missing')
redis.call('LLEN', inbox)
if (ARGV[1] ~= '' and found[3] ~= ARGV[1]) or (ARGV[3] ~= '' and found[4] ~= ARGV[3]) then
  return { -1, owner }
end
local gone = 0
for place = 5, #ARGV do
  gone = gone + redis.call('LREM', inbox, 0, ARGV[place])
end
if gone == 0 and ARGV[1] == '' and ARGV[3] == '' then
  return { 0, owner }
end
if ARGV[1] ~= '' then
  redis.call('HSET', state, STATE.history, ARGV[2])
end
if ARGV[3] ~= '' then
  redis.call('HSET', state, STATE.retry_batch, ARGV[4])
end
if owner ~= '' then
  redis.call('HSET', state, STATE.epoch, string.format('%.0f', epoch + 1))
end
redis.call('HDEL', state, STATE.owner, STATE.tries, STATE.batch_size, STATE.isolate_next, STATE.journal)
redis.call('DEL', journal)
return { gone, owner }
