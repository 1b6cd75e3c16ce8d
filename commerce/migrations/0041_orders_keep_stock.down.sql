-- What is kept is taken away again, as it was before.

update variants
   set on_hand = on_hand - reserved, reserved = 0
 where reserved > 0;

delete from reservations;
