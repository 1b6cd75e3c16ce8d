-- The generic cell rate algorithm: KEYS[1] holds the time at which the bucket is full again.
-- ARGV: how many, within how many milliseconds.
-- Returns: allowed (1 or 0), how many are left, ms until the next is allowed, ms until all are.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local window = tonumber(ARGV[2])
local step = window / tonumber(ARGV[1])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
if full_at - now > window - step then
  return {0, 0, math.ceil(full_at - now - window + step), math.ceil(full_at - now)}
end
full_at = full_at + step
redis.call('SET', KEYS[1], string.format('%.3f', full_at), 'PX', math.max(1, math.ceil(full_at - now)))
return {1, math.floor((window - (full_at - now)) / step + 1e-9), 0, math.ceil(full_at - now)}
