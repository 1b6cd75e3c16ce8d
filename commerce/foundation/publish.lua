-- Append events to a topic's log, give each the next offset and tell it live: all or nothing.
-- KEYS: log, meta, seen (one hash slot).
-- ARGV: epoch for a topic that has none, live channel, entries kept, milliseconds an idle topic
--       lives, PUBLISH or SPUBLISH; then an event id and an entry for each event.
-- Returns: epoch, offset. An event id that the log still remembers is not published again.
local log, meta, seen = KEYS[1], KEYS[2], KEYS[3]
local kept = tonumber(ARGV[3])
local epoch, offset = false, 0
for argument = 6, #ARGV, 2 do
  local id, entry = ARGV[argument], ARGV[argument + 1]
  if not redis.call('ZSCORE', seen, id) then
    if not epoch then
      redis.call('HSETNX', meta, 'epoch', ARGV[1])
      epoch = redis.call('HGET', meta, 'epoch')
    end
    offset = redis.call('HINCRBY', meta, 'offset', 1)
    if offset == 1 then
      redis.call('DEL', log, seen) -- of an epoch whose meta was lost
    end
    local place = string.format('%.0f', offset)
    redis.call('XADD', log, 'MAXLEN', '~', ARGV[3], place .. '-0', 'entry', entry)
    redis.call('ZADD', seen, place, id)
    redis.call(ARGV[5], ARGV[2], epoch .. ' ' .. place .. ' ' .. entry)
  end
end
if not epoch then
  return {redis.call('HGET', meta, 'epoch'), tonumber(redis.call('HGET', meta, 'offset') or 0)}
end
if offset > kept then
  redis.call('ZREMRANGEBYSCORE', seen, '-inf', string.format('%.0f', offset - kept))
end
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, ARGV[4])
end
return {epoch, offset}
