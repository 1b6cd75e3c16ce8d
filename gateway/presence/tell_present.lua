-- Store one worker's list of a room and tell the others.
--
-- KEYS: the room's presence hash
-- ARGV: the worker; its encoded list; how many are on it; milliseconds until the hash expires;
--       the room's signal channel; PUBLISH or SPUBLISH

if ARGV[3] == '0' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return redis.call(ARGV[6], ARGV[5], ARGV[2])
