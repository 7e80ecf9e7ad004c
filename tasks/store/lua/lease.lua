-- Take or renew a lease.
-- KEYS: 1 lease.
-- ARGV: 1 holder, 2 how long it lasts (ms); 0 gives it back.
-- Reply: 1 when the holder has (or gave back) the lease, 0 when another holder has it.
local lease = KEYS[1]
local holder, lasts = ARGV[1], tonumber(ARGV[2])
local current = redis.call('GET', lease)
if current and current ~= holder then
  return 0
end
if lasts == 0 then
  redis.call('DEL', lease)
else
  redis.call('SET', lease, holder, 'PX', lasts)
end
return 1
