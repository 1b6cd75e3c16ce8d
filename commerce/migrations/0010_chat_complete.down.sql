drop index users_staff;
drop table message_reports;
drop table message_reactions;
alter table messages
    drop column parts,
    drop column attachments,
    drop column mentions,
    drop column reactions,
    drop column reactions_version;
drop table room_standings;
drop index room_members_by_name;
alter table room_members
    drop column muted_until,
    drop column last_sent_at;
delete from rooms where kind = 'support';
alter table rooms
    drop constraint rooms_order_check,
    drop column order_id,
    drop column slow_mode_seconds,
    drop constraint rooms_kind_check,
    add constraint rooms_kind_check check (kind in ('product', 'group', 'direct'));
