-- A participant's row agrees with their changes in status_changes and their gaps.
-- Why: people compare the three, and all exported tables are built from participants.
-- Remedy: The table differs from what the models compute from the loaded lines. Build it again: studyflow build
-- Key: participant_id
-- Rules of marts.status_changes:
--   is_not_current_once: one change per participant is current (current_changes)
-- Rules of marts.participants:
--   is_missing: every participant of status_changes has a row
--   has_no_changes: every participant has changes in status_changes
--   miscounts_changes: status_changes counts the delivered changes (status_changes, delivered_changes)
--   miscounts_gaps: missing_changes counts the gaps (missing_changes, gaps)
--   has_another_person: person_id is that of the changes (person_id, last_person_id)
--   has_another_study: study_id is that of the changes (study_id, last_study_id)
--   has_another_status: current_status is the status of the last change (current_status, last_status)
--   has_another_stage: current_stage is the stage of the last change (current_stage, last_stage)
--   was_first_seen_otherwise: first_seen_at is the time of the first change (first_seen_at, first_occurred_at)
--   changed_last_otherwise: last_changed_at is the time of the last change (last_changed_at, last_occurred_at)
--   got_elsewhere: furthest_step is the latest step of the changes (furthest_step, last_step)
--   is_wrongly_terminal: is_terminal is as in reference.stages (current_stage, is_terminal)
--   has_status_since_another_time: status_since is between first_seen_at and last_changed_at
--     (first_seen_at, status_since, last_changed_at)
-- Rules of audit.gaps:
--   gap_rows_differ: one row per change that follows a gap (gap_rows, gaps)
with

steps_of_statuses as (
    select distinct
        statuses.status,
        steps.step_order
    from {{ ref('stg_statuses') }} as statuses
    inner join {{ ref('funnel_steps') }} as steps
        on statuses.funnel_step = steps.step
),

totals as (
    select
        {{ id_key('changes.participant_id') }} as participant_key,
        max(changes.sequence_number) as last_number,
        count(*) filter (where changes.is_current) as current_changes,
        count(*) filter (where not changes.is_inferred) as delivered_changes,
        count(*) filter (where changes.follows_gap) as gaps,
        min(changes.occurred_at) as first_occurred_at,
        max(changes.occurred_at) as last_occurred_at,
        max(steps.step_order) as last_step_order
    from {{ ref('status_changes') }} as changes
    left join steps_of_statuses as steps
        on changes.status = steps.status
    group by {{ id_key('changes.participant_id') }}
),

histories as (
    select
        totals.*,
        last_changes.participant_id,
        last_changes.person_id as last_person_id,
        last_changes.study_id as last_study_id,
        last_changes.status as last_status,
        last_changes.stage as last_stage,
        last_steps.step as last_step
    from totals
    inner join {{ ref('status_changes') }} as last_changes
        on
            totals.participant_key = {{ id_key('last_changes.participant_id') }}
            and totals.last_number = last_changes.sequence_number
    left join {{ ref('funnel_steps') }} as last_steps
        on totals.last_step_order = last_steps.step_order
),

gaps as (
    select
        participant_id,
        count(*) as gap_rows
    from {{ ref('gaps') }}
    group by participant_id
),

participants as (
    select
        participants.*,
        {{ id_key('participants.participant_id') }} as participant_key,
        stages.is_terminal as is_terminal_stage
    from {{ ref('participants') }} as participants
    left join {{ ref('stages') }} as stages
        on participants.current_stage = stages.stage
),

compared as (
    select
        coalesce(histories.participant_id, participants.participant_id, gaps.participant_id) as participant_id,
        histories.participant_id is not null as has_changes,
        participants.participant_id is not null as has_row,
        histories.current_changes,
        histories.delivered_changes,
        coalesce(histories.gaps, 0) as gaps,
        histories.first_occurred_at,
        histories.last_occurred_at,
        histories.last_person_id,
        histories.last_study_id,
        histories.last_status,
        histories.last_stage,
        histories.last_step,
        participants.person_id,
        participants.study_id,
        participants.current_status,
        participants.current_stage,
        participants.is_terminal,
        participants.is_terminal_stage,
        participants.status_since,
        participants.first_seen_at,
        participants.last_changed_at,
        participants.furthest_step,
        participants.status_changes,
        participants.missing_changes,
        coalesce(gaps.gap_rows, 0) as gap_rows
    from histories
    full outer join participants
        on histories.participant_key = participants.participant_key
    full outer join gaps
        on coalesce(histories.participant_id, participants.participant_id) = gaps.participant_id
),

judged as (
    select
        *,
        current_changes <> 1 as is_not_current_once,
        has_changes and not has_row as is_missing,
        has_row and not has_changes as has_no_changes,
        status_changes <> delivered_changes as miscounts_changes,
        has_row and has_changes and missing_changes <> gaps as miscounts_gaps,
        person_id <> last_person_id as has_another_person,
        study_id <> last_study_id as has_another_study,
        current_status <> last_status as has_another_status,
        current_stage <> last_stage as has_another_stage,
        first_seen_at <> first_occurred_at as was_first_seen_otherwise,
        last_changed_at <> last_occurred_at as changed_last_otherwise,
        furthest_step <> last_step as got_elsewhere,
        is_terminal <> is_terminal_stage as is_wrongly_terminal,
        status_since not between first_seen_at and last_changed_at as has_status_since_another_time,
        gap_rows <> gaps as gap_rows_differ
    from compared
)

select * from judged
where
    is_not_current_once
    or is_missing
    or has_no_changes
    or miscounts_changes
    or miscounts_gaps
    or has_another_person
    or has_another_study
    or has_another_status
    or has_another_stage
    or was_first_seen_otherwise
    or changed_last_otherwise
    or got_elsewhere
    or is_wrongly_terminal
    or has_status_since_another_time
    or gap_rows_differ
