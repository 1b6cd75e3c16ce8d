alter table licenses
    drop column staff_state,
    drop column grant_state;
