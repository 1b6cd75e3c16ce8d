-- Give a user's session to a socket, if the user may have one more on all workers together.
--
-- KEYS: the user's sockets; the user's ended sign-ins (one hash slot)
-- ARGV: session; worker; connection; milliseconds the hold lasts; sockets at most; sign-in; when
--       that was minted; the user's live channel; PUBLISH or SPUBLISH; workers known to be dead...
-- Returns: 'held' and the fence; or 'ended'; or 'full' and the workers of the other sockets.
-- The time is that of Redis. A later holder of a session always has the greater fence.

local sockets, ended = KEYS[1], KEYS[2]
local session, worker, connection = ARGV[1], ARGV[2], ARGV[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local until_when = redis.call('HGET', ended, '*')
if redis.call('HEXISTS', ended, ARGV[6]) == 1
  or (until_when and tonumber(until_when) >= tonumber(ARGV[7])) then
  return {'ended'}
end

local dead = {}
for place = 10, #ARGV do
  dead[ARGV[place]] = true
end

local others, held = {}, nil
local fields = redis.call('HGETALL', sockets)
for place = 1, #fields, 2 do
  local lasts, fence, its_worker, its_connection =
    string.match(fields[place + 1], '^(%d+) (%d+) (%S+) (%S+)$')
  if fields[place] == session then
    held = fence and {fence = tonumber(fence), connection = its_connection}
  elseif not lasts or tonumber(lasts) < now or dead[its_worker] then
    redis.call('HDEL', sockets, fields[place])
  else
    others[#others + 1] = its_worker
  end
end
if #others >= tonumber(ARGV[5]) then
  return {'full', unpack(others)}
end

local fence = time[1] * 1000000 + time[2]
if held and held.fence >= fence then
  fence = held.fence + 1
end
local told = string.format('%.0f', fence)
redis.call('HSET', sockets, session,
  string.format('%.0f %s %s %s', now + ARGV[4], told, worker, connection))
if redis.call('PTTL', sockets) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', sockets, ARGV[4])
end
if held and held.connection ~= connection then
  redis.call(ARGV[9], ARGV[8], '! replaced ' .. session .. ' ' .. told)
end
return {'held', told}
