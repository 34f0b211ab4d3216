-- Macros that recognise people who were forgotten. The variables forgotten_people and forgotten_participants have the
-- hashes of their ids (lists), made with forgotten_salt.

create or replace temp macro is_forgotten_person(id) as
    sha256(getvariable('forgotten_salt') || id) in (select unnest(getvariable('forgotten_people')));

create or replace temp macro is_forgotten_participant(id) as
    sha256(getvariable('forgotten_salt') || id) in (select unnest(getvariable('forgotten_participants')));
