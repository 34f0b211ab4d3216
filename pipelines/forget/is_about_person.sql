-- Macros that tell whether a row of raw.deliveries is about a forgotten person. They need the macros of withhold.sql
-- and the table `mentioning_lines`, which lists the kept lines that name the person.

create or replace temp macro mentions_person(file, number, place) as
    row(file, number, place) in (select row(file_id, line_number, position) from mentioning_lines);

create or replace temp macro is_about_person(participant, person, file, number, place) as
    case
        when participant is not null then is_forgotten_person(person) or is_forgotten_participant(participant)
        else mentions_person(file, number, place)
    end;
