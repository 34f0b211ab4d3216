-- Each participant's changes form one chain: in order, without holes, each ending where the next begins.
-- Why: spans, ages, stages and funnels are computed from consecutive rows.
-- Remedy: The table differs from what the models compute from the loaded lines. Build it again: studyflow build
-- Key: participant_id
-- Rules of marts.status_changes:
--   skips_a_number: sequence_number runs 1, 2, 3, … (sequence_number)
--   goes_back_in_time: occurred_at is not earlier than that of the previous change
--     (sequence_number, occurred_before, occurred_at)
--   ends_before_it_begins: ended_at is not before occurred_at (sequence_number, occurred_at, ended_at)
--   ends_elsewhere: ended_at is the next change's occurred_at (number_before, ended_before, occurred_at)
--   is_wrongly_current: is_current is true exactly where ended_at is null (sequence_number, is_current, ended_at)
--   hides_a_gap: follows_gap is true where prior_status is not the status before
--     (sequence_number, status_before, prior_status, status)
--   invents_a_gap: follows_gap is true only where a change is missing
--     (sequence_number, status_before, prior_status, status)
--   is_told_otherwise: an inferred change is just before the change that names it as its prior status
--     (number_before, status_before, occurred_before, prior_status, occurred_at)
--   is_inferred_with_prior_status: prior_status is null where is_inferred (sequence_number, prior_status)
--   is_inferred_after_a_gap: follows_gap is false where is_inferred (sequence_number, follows_gap)
--   miscounts_deliveries: deliveries is 0 where is_inferred, and only there (sequence_number, is_inferred, deliveries)
--   changes_owner: a participant has one person and one study
--     (sequence_number, person_before, person_id, study_before, study_id)
with

-- Keys are compared instead of texts, because that is faster for millions of changes.
keyed as (
    select
        {{ id_key('participant_id') }} as participant_key,
        sequence_number,
        occurred_at,
        ended_at,
        is_current,
        is_inferred,
        follows_gap,
        deliveries,
        {{ id_key('person_id') }} as person_key,
        {{ id_key('study_id') }} as study_key,
        {{ id_key('status') }} as status_key,
        case when prior_status is not null then {{ id_key('prior_status') }} end as prior_key
    from {{ ref('status_changes') }}
),

neighbours as (
    select
        keyed.*,
        befores.participant_key is not null as has_one_before,
        befores.participant_key is not null or keyed.sequence_number = 1 as is_in_place,
        befores.person_key as person_key_before,
        befores.study_key as study_key_before,
        befores.status_key as status_key_before,
        befores.occurred_at as occurred_before,
        befores.ended_at as ended_before,
        coalesce(befores.is_inferred, false) as is_after_inferred
    from keyed
    left join keyed as befores
        on keyed.participant_key = befores.participant_key and keyed.sequence_number = befores.sequence_number + 1
),

judged as (
    select
        participant_key,
        sequence_number,
        occurred_at,
        occurred_before,
        not is_in_place as skips_a_number,
        occurred_at < occurred_before as goes_back_in_time,
        ended_at < occurred_at as ends_before_it_begins,
        (has_one_before and ended_before is distinct from occurred_at) as ends_elsewhere,
        (is_current <> (ended_at is null)) as is_wrongly_current,
        (
            is_in_place and not is_inferred and not follows_gap and prior_key is distinct from status_key_before
        ) as hides_a_gap,
        (
            is_in_place and follows_gap and case
                when prior_key is null then is_after_inferred or not has_one_before
                else not is_after_inferred or prior_key is distinct from status_key_before
            end
        ) as invents_a_gap,
        (
            (is_inferred and is_current)
            or (
                is_after_inferred and (
                    not follows_gap or prior_key is distinct from status_key_before or occurred_at <> occurred_before
                )
            )
        ) as is_told_otherwise,
        (is_inferred and prior_key is not null) as is_inferred_with_prior_status,
        (is_inferred and follows_gap) as is_inferred_after_a_gap,
        (is_inferred <> (deliveries = 0)) as miscounts_deliveries,
        (person_key <> person_key_before or study_key <> study_key_before) as changes_owner
    from neighbours
),

broken as (
    select * from judged
    where
        skips_a_number
        or goes_back_in_time
        or ends_before_it_begins
        or ends_elsewhere
        or is_wrongly_current
        or hides_a_gap
        or invents_a_gap
        or is_told_otherwise
        or is_inferred_with_prior_status
        or is_inferred_after_a_gap
        or miscounts_deliveries
        or changes_owner
),

shown as (
    select
        *,
        {{ id_key('participant_id') }} as participant_key
    from {{ ref('status_changes') }}
    where {{ id_key('participant_id') }} in (select broken.participant_key from broken)
)

select
    broken.*,
    shown.participant_id,
    shown.person_id,
    shown.study_id,
    shown.prior_status,
    shown.status,
    shown.ended_at,
    shown.is_current,
    shown.is_inferred,
    shown.follows_gap,
    shown.deliveries,
    befores.sequence_number as number_before,
    befores.person_id as person_before,
    befores.study_id as study_before,
    befores.status as status_before,
    befores.ended_at as ended_before
from broken
inner join shown
    on
        broken.participant_key = shown.participant_key
        and broken.sequence_number = shown.sequence_number
        and broken.occurred_at = shown.occurred_at
left join shown as befores
    on
        broken.participant_key = befores.participant_key
        and broken.sequence_number = befores.sequence_number + 1
        and broken.occurred_before = befores.occurred_at
