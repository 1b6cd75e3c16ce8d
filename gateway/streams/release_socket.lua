-- Forget a socket that is gone, unless another holds its session by now.
--
-- KEYS: the user's sockets
-- ARGV: session; connection

local held = redis.call('HGET', KEYS[1], ARGV[1])
if held and string.match(held, ' (%S+)$') == ARGV[2] then
  redis.call('HDEL', KEYS[1], ARGV[1])
end
return 1
