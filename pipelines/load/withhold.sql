-- Which lines are of people who were forgotten. What is known of them are hashes: of the variables forgotten_people and
-- forgotten_participants (lists), made with forgotten_salt.

create or replace temp macro is_forgotten_person(id) as
    sha256(getvariable('forgotten_salt') || id) in (select unnest(getvariable('forgotten_people')));

create or replace temp macro is_forgotten_participant(id) as
    sha256(getvariable('forgotten_salt') || id) in (select unnest(getvariable('forgotten_participants')));

-- What could be an id in a text: what stands in quotes, escaped or not, and longer runs of what most ids are made of.
-- Short runs are found in any text by chance. Of texts over a mebibyte only the latter, else DuckDB runs out of memory.
create or replace temp macro words_of(text) as
    list_distinct(
        case
            when strlen(text) > 1048576 then regexp_extract_all(text, '[\p{L}\p{N}_-]{6,}')
            else
                list_filter(
                    string_split(text, '"'),
                    lambda word: word <> ''
                )
                || list_transform(
                    regexp_extract_all(text, '"((?:[^"\\]|\\.)+)(?:"|$)', 1),
                    lambda word: case
                        when contains(word, '\')
                            then coalesce(try(from_json('"' || word || '"', '"VARCHAR"')), word)
                        else word
                    end
                )
                || regexp_extract_all(text, '[\p{L}\p{N}_-]{6,}')
                || regexp_extract_all(text, '[^\s"'',;=&?/<>(){}\[\]\\]{6,}')
        end
    );

create or replace temp macro mentions_forgotten(text) as
    coalesce(
        list_has_any(
            list_transform(words_of(replace(text, chr(0), '')), lambda word: sha256(getvariable('forgotten_salt') || word)),
            getvariable('forgotten_people') || getvariable('forgotten_participants')
        ),
        false
    );

-- Bytes that are no UTF-8 as what can be read of them; UTF-16 is ASCII with a zero byte at each character.
create or replace temp macro readable(bytes) as
    regexp_replace(replace(replace(bytes::varchar, '\x00', ''), '\x22', '"'), '\\x[0-9A-F]{2}', ' ', 'g');
