-- The participants who match $search best. Fit 1: the participant's id; 2: the person's id; 3: the person's name or
-- email address, ignoring case; 4: a part of an id or the name; 5: an id with one character missing. All participants
-- if they are one person, else at most 21.
with

participants as (
    select
        participants.participant_id,
        participants.person_id,
        people.person_name,
        coalesce(studies.study_name, participants.study_id) as study,
        lower(participants.participant_id) as participant_lower,
        lower(participants.person_id) as person_lower,
        lower(people.person_name) as name_lower,
        addresses.email,
        lower($search) as search_lower
    from marts.participants
    inner join marts.people
        on participants.person_id = people.person_id
    inner join marts.study_progress as studies
        on participants.study_id = studies.study_id
    left join staging.stg_people as addresses
        on participants.person_id = addresses.person_id
    where $search <> ''
),

compared as (
    select
        *,
        case
            when participant_id = $search then 1
            when person_id = $search then 2
            when search_lower in (name_lower, email) then 3
            when
                contains(participant_lower, search_lower)
                or contains(person_lower, search_lower)
                or contains(name_lower, search_lower) then 4
            when length(participant_lower) = length(search_lower) + 1 and levenshtein(participant_lower, search_lower) = 1 then 5
            when length(person_lower) = length(search_lower) + 1 and levenshtein(person_lower, search_lower) = 1 then 5
        end as fit
    from participants
),

best as (
    select *
    from compared
    qualify fit = min(fit) over ()
)

select
    participant_id,
    person_id,
    person_name,
    study
from best
qualify
    min(person_id) over () = max(person_id) over ()
    or row_number() over (order by name_lower nulls last, participant_id) <= 21
order by name_lower nulls last, participant_id
