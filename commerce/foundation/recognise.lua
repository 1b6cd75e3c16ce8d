-- Is this the Redis that the relay knows, with everything the relay gave it?
-- KEYS: the relay's marker, `{run} {batch}`.
-- ARGV: the marker as this relay wrote it last, or ''; the last batch that was published.
-- Returns: the id of this run of the server; the marker, which is brought up to date if it is the
-- one of this run that the relay wrote last: then nothing was lost since.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local found = redis.call('GET', KEYS[1]) or ''
local newest = run .. ' ' .. ARGV[2]
if found ~= newest and found == ARGV[1] and string.match(found, '^%w+') == run then
  redis.call('SET', KEYS[1], newest)
  found = newest
end
return {run, found}
