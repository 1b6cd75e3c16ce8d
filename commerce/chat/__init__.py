"""Chat: rooms of products, groups and pairs of people; who is in them and what was said.

Owns the tables `rooms`, `room_members`, `room_read_marks` and `messages`. Carries out the commands
`SendMessage`, `EditMessage`, `DeleteMessage`, `JoinRoom`, `LeaveRoom` and `MarkRead`. Tells
`MessageSent`, `MessageEdited`, `MessageDeleted`, `MemberJoined` and `MemberLeft` on the room's
topic (the last two on the member's own as well) and `ReadMarked` on the reader's.
"""
