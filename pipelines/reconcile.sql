-- The table `reconciled`: the participant of study $study_id for each of $ids. `place` is the order.
create or replace temp table reconciled as
with

listed as (
    select
        generate_subscripts($ids, 1) as position,
        unnest($ids) as id
),

-- The steps that can be completed in a survey tool: the survey or test itself, or the screener of an interview.
goal as (
    select
        statuses.label,
        statuses.activity,
        steps.step_order,
        statuses.is_completion
    from (select any_value(study_type) as study_type from marts.participants where study_id = $study_id) as study
    inner join staging.stg_statuses as statuses
        on
            case
                when study.study_type = 'interview' then statuses.dashboard_series = 'screeners_completed'
                when study.study_type = 'unmoderated_test' then statuses.dashboard_series = 'tests_completed'
                else statuses.dashboard_series = 'surveys_completed'
            end
    inner join reference.funnel_steps as steps
        on statuses.funnel_step = steps.step
    order by statuses.status_rank
    limit 1
),

participants as (
    select
        participants.participant_id,
        participants.person_id,
        participants.current_status_label,
        goal.label as goal,
        case
            when completions.participant_key is not null then true
            when goal.is_completion then statuses.activity is null and steps.step_order >= goal.step_order
            else furthest.step_order >= goal.step_order
        end as is_completed
    from marts.participants as participants
    cross join goal
    inner join staging.stg_statuses as statuses
        on participants.current_status = statuses.status
    inner join reference.funnel_steps as steps
        on statuses.funnel_step = steps.step
    inner join reference.funnel_steps as furthest
        on participants.furthest_step = furthest.step
    left join staging.stg_identities as identities
        on
            participants.participant_id = identities.participant_id
            and participants.person_id = identities.person_id
            and participants.study_id = identities.study_id
    left join intermediate.int_completions as completions
        on
            identities.participant_key = completions.participant_key
            and goal.is_completion
            and goal.activity = completions.activity
    where participants.study_id = $study_id
),

-- An email address is replaced by the ids of all people who have it in people.csv. Other ids stay as they are.
ids_of_people as (
    select
        listed.position,
        listed.id,
        coalesce(people.person_id, listed.id) as person_id,
        contains(listed.id, '@') and people.person_id is null as is_unknown_address
    from listed
    left join staging.stg_people as people
        on lower(listed.id) = people.email
),

-- An id matches the participant with this id, or else all participants of the person with this id.
matches as (
    select
        listed.position,
        listed.id,
        participants.*
    from listed
    inner join participants
        on listed.id = participants.participant_id
    union
    select
        ids_of_people.position,
        ids_of_people.id,
        participants.*
    from ids_of_people
    inner join participants
        on ids_of_people.person_id = participants.person_id
    where ids_of_people.id not in (select participant_id from participants)
),

other_studies as (
    select
        ids_of_people.id,
        min(coalesce(studies.study_name, participants.study_id)) as study,
        bool_or(ids_of_people.is_unknown_address) as is_unknown_address
    from ids_of_people
    left join marts.participants as participants
        on participants.participant_id = ids_of_people.id or participants.person_id = ids_of_people.person_id
    left join marts.study_progress as studies
        on participants.study_id = studies.study_id
    group by ids_of_people.id
),

judged as (
    select
        listed.position,
        listed.id,
        matches.participant_id,
        matches.person_id,
        matches.current_status_label as current_status,
        case when not matches.is_completed then matches.goal end as move_to,
        case
            when matches.participant_id is null then 'unknown'
            when matches.is_completed then 'already completed'
            else 'to move'
        end as outcome,
        case
            when matches.participant_id is not null then null
            when other_studies.study is not null then 'is in study ' || other_studies.study
            when other_studies.is_unknown_address then 'people.csv has no such address'
        end as note
    from listed
    left join matches
        on listed.id = matches.id
    inner join other_studies
        on listed.id = other_studies.id
)

select
    *,
    row_number() over (
        order by
            case outcome when 'to move' then 1 when 'already completed' then 2 else 3 end,
            position,
            participant_id
    ) as place
from judged
