-- At most three participant ids, person ids or names that are similar to $search, the most similar first.
with

words as (
    select participant_id as word
    from marts.participants
    union
    select unnest([person_id, person_name])
    from marts.people
)

select word
from words
where $search <> '' and jaro_winkler_similarity(lower(word), lower($search)) >= 0.85
order by jaro_winkler_similarity(lower(word), lower($search)) desc, word
limit 3
