-- Take a send permit: GCRA over the bot's bucket and the chat's, unless a flood penalty holds them.
-- KEYS: 1 bot bucket, 2 chat bucket, 3 bot penalty, 4 chat penalty, 5 line: when its next place comes.
-- ARGV: 1 now, 2 patient (1: reserve a permit for later, 0: now or not at all), 3 bot interval, 4 bot tolerance,
--       5 chat interval (0: the chat is not charged), 6 chat tolerance, 7 interval of the line (0: no place in it),
--       8 how far off the bot's permit may be, 9 due (1: its place has come); all times in microseconds.
-- Reply: {what was taken, wait}: 0 nothing, ask again after wait; 1 the chat's permit, which is due after wait, the bot's
--        is still to be taken; 2 everything, send after wait; 3 a place in the line, which comes after wait.
local bot, chat, bot_penalty, chat_penalty, line = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local patient, due, times = ARGV[2] == '1', ARGV[9] == '1', {}
for place = 1, 8 do
  times[place] = tonumber(ARGV[place])
  -- A tolerance below zero: so long the bucket has to have been full already (an album is many messages at once).
  local least = (place == 4 or place == 6) and -1e9 or 0
  assert(times[place] >= least and times[place] <= 2 ^ 53, 'a time is out of range')
end
local now, bot_interval, bot_tolerance, chat_interval, chat_tolerance = times[1], times[3], times[4], times[5], times[6]
local step, slack = times[7], times[8]
assert(math.max(bot_interval, chat_interval, step) <= 1e12, 'an interval is out of range')
-- A bucket further ahead than any real queue was written by a clock that was wrong; clocks may differ by a minute.
local horizon, margin = 600 * 1000000, 60 * 1000
-- Telegram punishes with hours at most; a longer penalty is a damaged key.
local longest = 48 * 3600 * 1000000

-- What is no time (a damaged key) holds nothing back, and is written over.
local function time_of(stored)
  local time = stored and tonumber(stored) or 0
  return time == time and math.min(time, 2 ^ 53) or 0
end
local stored = redis.call('MGET', bot, chat, bot_penalty, chat_penalty, line)
local function look(found, tolerance)
  local free = time_of(found)
  if free > now + horizon then
    free = now
  end
  local wait = math.max(0, free - tolerance - now)
  return math.max(free, now + (tolerance < 0 and wait or 0)), wait
end
local function take(key, free)
  redis.call('SET', key, string.format('%.0f', free), 'PX', math.ceil((free - now) / 1000) + margin)
end

local held = math.max(time_of(stored[3]), time_of(stored[4])) - now
if held > 0 and held <= longest then
  return { 0, held }
end
local bot_free, bot_wait = look(stored[1], bot_tolerance)
local chat_free, chat_wait = look(stored[2], chat_tolerance)
if not patient then
  local place = step > 0 and look(stored[5], 0) or now
  if chat_wait == 0 and step > 0 and (bot_wait > slack or place > now and not due) then
    place = math.max(place, now + bot_wait)
    take(line, place + step)
    return { 3, place - now }
  elseif chat_wait > 0 or bot_wait > slack then
    return { 0, math.max(bot_wait, chat_wait) }
  end
end
if chat_interval > 0 then
  take(chat, chat_free + chat_interval)
  if chat_wait > 0 then
    return { 1, chat_wait }
  end
end
take(bot, bot_free + bot_interval)
return { 2, bot_wait }
