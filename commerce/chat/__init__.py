"""Chat: rooms of products, groups, pairs of people and orders; who is in them and what was said.

Owns the tables `rooms`, `room_members`, `room_standings`, `room_read_marks`, `messages`,
`message_reactions` and `message_reports`. Carries out the commands `SendMessage`, `EditMessage`,
`DeleteMessage`, `SetReaction`, `JoinRoom`, `LeaveRoom` and `MarkRead`. Tells `MessageSent`,
`MessageEdited`, `MessageDeleted`, `ReactionsChanged`, `MemberJoined`, `MemberLeft`,
`MemberChanged`, `MemberBanned`, `MemberUnbanned` and `RoomChanged` on the room's topic (joining and
leaving on the member's own as well), `ReadMarked` on the reader's and `Mentioned` on that of
whoever is named. Who may do what in which kind of room is one table, in `model.roles`.
"""
