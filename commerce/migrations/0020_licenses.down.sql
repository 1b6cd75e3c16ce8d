drop table license_steps, license_activations, licenses, license_policies;
drop function refuse_to_rewrite_license_steps();
