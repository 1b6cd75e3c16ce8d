-- Is this the Redis that the relay knows, with everything the relay gave it?
-- KEYS: the relay's marker, the mark of a complete access projection.
-- Returns: the id of this run of the server, the one the marker names, whether access is complete.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
return {run, redis.call('GET', KEYS[1]) or '', redis.call('EXISTS', KEYS[2])}
