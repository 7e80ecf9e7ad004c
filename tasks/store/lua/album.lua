-- A part of an album: one that names the bot has all of them attended to, also those that came before it.
-- KEYS: 1 the album.
-- ARGV: 1 update id, 2 the part, '' where it names the bot, 3 how many parts are kept, 4 for how long (s).
-- Reply: 1 when the album is attended to, else 0; then, where this part names the bot, the parts that came before.
local album = KEYS[1]
local update, part, most, lasts = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
assert(most >= 1 and lasts >= 1 and lasts <= 1e9 and lasts % 1 == 0, 'a bound is out of range')
local parts, named = {}, redis.call('HEXISTS', album, 'named') == 1
if part == '' then
  redis.call('HSET', album, 'named', 1)
  redis.call('EXPIRE', album, lasts)
  local all = redis.call('HGETALL', album)
  for place = 1, #all, 2 do
    if all[place] ~= 'named' then
      parts[#parts + 1] = all[place + 1]
    end
  end
  return { 1, unpack(parts) }
end
if not named and (redis.call('HLEN', album) < most or redis.call('HEXISTS', album, update) == 1) then
  redis.call('HSET', album, update, part)
  redis.call('EXPIRE', album, lasts)
end
return { named and 1 or 0 }
