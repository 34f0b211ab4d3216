-- The participants that $asked may mean: fit 1 their id, 2 their person's id, 3 alike. At most three that are only alike.
with

compared as (
    select
        participant_id,
        case
            when participant_id = $asked then 1
            when person_id = $asked then 2
            else 3
        end as fit,
        case
            when starts_with(participant_id, $asked) then 1
            else jaro_winkler_similarity(participant_id, $asked)
        end as likeness
    from marts.participants
)

select
    participant_id,
    fit
from compared
where fit < 3 or (likeness >= 0.85 and $asked <> '')
qualify fit < 3 or row_number() over (partition by fit order by likeness desc, participant_id) <= 3
order by fit, likeness desc, participant_id
