-- Remove dead letters so that nothing of them is left: XDEL only marks an entry, whose text stays in the server's memory
-- and files. So the letters that stay are written again.
-- KEYS: 1 dead.
-- ARGV: the ids of the letters to remove.
-- Reply: how many were removed.
local dead, gone, removed = KEYS[1], {}, 0
for _, id in ipairs(ARGV) do
  gone[id] = true
end
local letters = redis.call('XRANGE', dead, '-', '+')
for _, letter in ipairs(letters) do
  removed = removed + (gone[letter[1]] and 1 or 0)
end
if removed == 0 then
  return 0
end
redis.call('DEL', dead)
for _, letter in ipairs(letters) do
  if not gone[letter[1]] then
    redis.call('XADD', dead, letter[1], unpack(letter[2]))
  end
end
return removed
