-- Search inside a room. The room is itself a word of what is indexed, so that one index answers
-- "these words, in this room" by intersecting short lists, without an extension.
-- New messages wait in a short list, in KiB: a search reads it whole, and who fills it sorts it in.

create index messages_search on messages
    using gin ((to_tsvector('simple', body) || array_to_tsvector(array[room_id])))
    with (gin_pending_list_limit = 512)
    where deleted_at is null;
