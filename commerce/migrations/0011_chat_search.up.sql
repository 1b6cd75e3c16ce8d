-- Search inside a room. The room is itself a word of what is indexed, so that one index answers
-- "these words, in this room" by intersecting short lists, without an extension.

create index messages_search on messages
    using gin ((to_tsvector('simple', body) || array_to_tsvector(array[room_id])))
    where deleted_at is null;
