-- Where a topic ends and, if asked, everything after an offset: all of it or none.
--
-- KEYS: the topic's meta, log and seen (one hash slot)
-- ARGV: an epoch in case the topic has none; idle milliseconds until the keys expire;
--       the offset; entries at most (0: only the position is wanted); bytes at most; entry field
-- Returns: epoch, head offset, reason ('' if complete, else a GapReason), the entries in order

local meta, log, seen = KEYS[1], KEYS[2], KEYS[3]
local after, entries_max, bytes_max = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

-- A topic without an epoch is a new one, so a log that is still there belongs to nobody.
if redis.call('HSETNX', meta, 'epoch', ARGV[1]) == 1 then
  redis.call('HDEL', meta, 'offset')
  redis.call('DEL', log, seen)
end
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, ARGV[2])
end

local position = redis.call('HMGET', meta, 'epoch', 'offset')
local epoch, head = position[1], tonumber(position[2] or '0')

local function answer(reason, entries)
  return {epoch, head, reason, entries}
end

if entries_max == 0 or after == head then
  return answer('', {})
elseif after > head then
  return answer('lost', {})
elseif head - after > entries_max then
  return answer('too_far', {})
end

local found = redis.call(
  'XRANGE', log, string.format('%.0f-0', after + 1), string.format('%.0f-0', head)
)
if #found ~= head - after then
  local first_is_there = found[1] and found[1][1] == string.format('%.0f-0', after + 1)
  return answer(first_is_there and 'lost' or 'trimmed', {})
end

local entries, bytes = {}, 0
for index, item in ipairs(found) do
  if item[2][1] ~= ARGV[6] then
    return answer('lost', {})
  end
  entries[index] = item[2][2]
  bytes = bytes + #item[2][2]
end
if bytes > bytes_max then
  return answer('too_far', {})
end
return answer('', entries)
