-- Macros that tell whether a row of raw.deliveries is about a forgotten person. They need the macros of withhold.sql
-- and the table `named`, which lists the kept lines that name the person.

create or replace temp macro is_named(file, number, place) as
    row(file, number, place) in (select row(file_id, line_number, position) from named);

create or replace temp macro is_theirs(participant, person, file, number, place) as
    case
        when participant is not null then is_forgotten_person(person) or is_forgotten_participant(participant)
        else is_named(file, number, place)
    end;
