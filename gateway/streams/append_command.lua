-- Add a command to its partition unless too many wait there.
--
-- KEYS: the stream
-- ARGV: entries at most; field; the encoded command
-- Returns: 1, or 0 if the stream is full. Commerce deletes what it has dealt with, so the length
-- of the stream is the number of commands that wait.

if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then
  return 0
end
redis.call('XADD', KEYS[1], '*', ARGV[2], ARGV[3])
return 1
