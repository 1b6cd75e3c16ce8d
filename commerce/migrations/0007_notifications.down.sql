drop table notifications;
drop table notification_inboxes;
