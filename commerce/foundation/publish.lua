-- Append an event to a topic's log, give it the next offset and tell it live: all or nothing.
-- KEYS: log, meta, seen (one hash slot).
-- ARGV: event id, entry, epoch for a topic that has none, live channel, entries kept,
--       milliseconds an idle topic lives, PUBLISH or SPUBLISH.
-- Returns: epoch, offset. An event id that the log still remembers is not published again.
local log, meta, seen = KEYS[1], KEYS[2], KEYS[3]
local known = redis.call('ZSCORE', seen, ARGV[1])
if known then
  return {redis.call('HGET', meta, 'epoch'), tonumber(known)}
end
redis.call('HSETNX', meta, 'epoch', ARGV[3])
local epoch = redis.call('HGET', meta, 'epoch')
local offset = redis.call('HINCRBY', meta, 'offset', 1)
if offset == 1 then
  redis.call('DEL', log, seen) -- of an epoch whose meta was lost
end
local place = string.format('%.0f', offset)
redis.call('XADD', log, 'MAXLEN', '~', ARGV[5], place .. '-0', 'entry', ARGV[2])
redis.call('ZADD', seen, place, ARGV[1])
redis.call('ZREMRANGEBYSCORE', seen, '-inf', string.format('%.0f', offset - tonumber(ARGV[5])))
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, ARGV[6])
end
redis.call(ARGV[7], ARGV[4], epoch .. ' ' .. place .. ' ' .. ARGV[2])
return {epoch, offset}
