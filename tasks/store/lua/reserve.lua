-- Hold tokens of the day's allowances for a turn, so that turns at the same time do not spend the same ones.
-- KEYS: usage hashes: 1 the chat's, then each payer's.
-- ARGV: 1 session, 2 now (s), 3 until when they are held at most (s), 4 seconds that usage is kept;
--       then two a key: its limit (0: none) and the tokens to hold.
-- Reply: for each key 0 it may spend, 1 its limit is used up, 2 what is left is held by other turns.
local field, now, till, lasts = 'held:' .. ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
assert(now >= 0 and till >= now and till <= 1e12 and #ARGV == 4 + 2 * #KEYS, 'out of range or missing')
assert(lasts >= 1 and lasts <= 1e9 and lasts % 1 == 0, 'not seconds')
local verdicts, amounts, payers = {}, {}, 0
for place = 1, #KEYS do
  local limit, spent, held = tonumber(ARGV[3 + 2 * place]), 0, 0
  amounts[place] = tonumber(ARGV[4 + 2 * place])
  assert(limit >= 0 and limit <= 2 ^ 53 and amounts[place] >= 0 and amounts[place] <= 2 ^ 53, 'not tokens')
  local entries = redis.call('HGETALL', KEYS[place])
  for at = 1, #entries, 2 do
    local name, value = entries[at], entries[at + 1]
    if name == 'input_tokens' or name == 'output_tokens' then
      local tokens = tonumber(value) or 0
      spent = spent + (tokens >= 0 and tokens or 0)
    elseif string.sub(name, 1, 5) == 'held:' and name ~= field then
      local tokens, ends = string.match(value, '^(%d+) (%d+)$')
      held = held + (ends and tonumber(ends) > now and tonumber(tokens) or 0)
    end
  end
  verdicts[place] = 0
  if limit > 0 and spent + held >= limit then
    verdicts[place] = spent >= limit and 1 or 2
  elseif place > 1 then
    payers = payers + 1
  end
end
for place = 1, #KEYS do
  if verdicts[1] == 0 and payers > 0 and verdicts[place] == 0 then
    redis.call('HSET', KEYS[place], field, string.format('%.0f %.0f', amounts[place], till))
    redis.call('EXPIRE', KEYS[place], lasts)
  end
end
return verdicts
