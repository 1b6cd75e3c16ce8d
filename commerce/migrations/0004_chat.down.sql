drop table messages;
drop table room_read_marks;
drop table room_members;
drop table rooms;
