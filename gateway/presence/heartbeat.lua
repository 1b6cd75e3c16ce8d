-- Show that a worker lives, take those that fell silent off the list, and tell who is left.
--
-- KEYS: the sorted set of workers
-- ARGV: the worker; milliseconds of silence after which one counts as dead
-- Returns: 1 if the worker was not on the list before, else 0; the workers that live.
-- The time is that of Redis, so the clocks of the workers need not agree.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local added = redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
return {added, redis.call('ZRANGE', KEYS[1], 0, -1)}
