-- Let a socket go on holding its session, or say that it may not.
--
-- KEYS: the user's sockets; the user's ended sign-ins (one hash slot)
-- ARGV: session; worker; connection; milliseconds the hold lasts; sign-in; when that was minted
-- Returns: 'held' and the fence; or 'ended'; or 'replaced'.
-- A Redis that lost the hold is told it again.

local sockets, ended = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local until_when = redis.call('HGET', ended, '*')
if redis.call('HEXISTS', ended, ARGV[5]) == 1
  or (until_when and tonumber(until_when) >= tonumber(ARGV[6])) then
  return {'ended'}
end

local fence = string.format('%.0f', time[1] * 1000000 + time[2])
local held = redis.call('HGET', sockets, ARGV[1])
if held then
  local its_fence, its_connection = string.match(held, '^%d+ (%d+) %S+ (%S+)$')
  if its_connection and its_connection ~= ARGV[3] then
    return {'replaced'}
  end
  fence = its_fence or fence
end
redis.call('HSET', sockets, ARGV[1],
  string.format('%.0f %s %s %s', now + ARGV[4], fence, ARGV[2], ARGV[3]))
if redis.call('PTTL', sockets) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', sockets, ARGV[4])
end
return {'held', fence}
