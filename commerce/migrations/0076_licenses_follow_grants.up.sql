-- A licence follows the grant it came by, and may besides be stopped by the staff: it stands where
-- the stricter of the two puts it.

alter table licenses
    add column staff_state text not null default 'granted'
        check (staff_state in ('granted', 'suspended', 'revoked')),
    add column grant_state text not null default 'granted'
        check (grant_state in ('granted', 'suspended', 'revoked'));

update licenses
   set staff_state = state
 where state <> 'granted';
