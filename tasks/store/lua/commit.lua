-- The one write of a turn: history, answered messages, replies, usage. Refused unless the claim still stands.
-- A commit that is sent twice (its answer was lost) is done once, also when the second comes behind the next commit.
-- KEYS: 1 state, 2 inbox, 3 outbox, 4 pending, 5 dead; then the day's usage hashes.
-- ARGV: 1 owner, 2 epoch, 3 commit id, 4 session, 5 plan (JSON: drop, then, set, unset, add, replies,
--       dead, after), 6 history (stored if plan.history), 7 dead letters kept, 8 seconds a day's usage is kept.
-- Reply: 1 done, 0 the claim was lost.
local state, inbox, outbox, pending, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local me, epoch, id, session, plan = ARGV[1], ARGV[2], ARGV[3], ARGV[4], cjson.decode(ARGV[5])
local claim = redis.call('HMGET', state, 'owner', 'epoch', 'commit')
if claim[1] ~= me or claim[2] ~= epoch then return 0 end
if claim[3] == id then return 1 end
if plan.after and (claim[3] or '') ~= plan.after then return 0 end
if plan.drop > 0 then redis.call('LTRIM', inbox, plan.drop, -1) end
for _, entry in ipairs(plan['then']) do redis.call('LPUSH', inbox, entry) end
redis.call('HDEL', state, 'tries', 'live', unpack(plan.unset))
redis.call('HSET', state, 'commit', id, unpack(plan.set))
if plan.history then redis.call('HSET', state, 'history', ARGV[6]) end
for field, amount in pairs(plan.add) do
  redis.call('HINCRBY', state, field, amount)
  for usage = 6, #KEYS do
    redis.call('HINCRBY', KEYS[usage], field, amount)
  end
end
for usage = 6, #KEYS do redis.call('EXPIRE', KEYS[usage], ARGV[8]) end
for _, reply in ipairs(plan.replies) do redis.call('RPUSH', outbox, reply) end
for _, letter in ipairs(plan.dead) do redis.call('XADD', dead, 'MAXLEN', '~', ARGV[7], '*', 'letter', letter) end
local head = redis.call('LINDEX', inbox, 0)
local read, entry = pcall(cjson.decode, head or '')
if head then redis.call('ZADD', pending, read and type(entry) == 'table' and entry.at or 0, session)
elseif #plan.replies > 0 then redis.call('ZADD', pending, 'NX', 0, session) end
return 1
