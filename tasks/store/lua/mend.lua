-- Take away what is not of the type that its key is declared with, and keep a dead letter that says so.
-- KEYS: 1 dead; then the keys to look at.
-- ARGV: 1 dead letter, 2 letters kept; then the declared type of each key from the second on.
-- Reply: the keys that were taken away.
local dead, letter, kept = KEYS[1], ARGV[1], tonumber(ARGV[2])
assert(kept >= 0 and kept <= 1e9 and kept % 1 == 0 and #ARGV == #KEYS + 1, 'an argument is out of range or missing')
local gone = {}
for place = 1, #KEYS do
  local kind = redis.call('TYPE', KEYS[place]).ok
  local declared = place == 1 and 'stream' or ARGV[place + 1]
  if kind ~= 'none' and kind ~= declared then
    redis.call('DEL', KEYS[place])
    gone[#gone + 1] = KEYS[place]
  end
end
if #gone > 0 then
  redis.call('XADD', dead, 'MAXLEN', '~', kept, '*', 'letter', letter)
end
return gone
