-- The work of `studyflow run`, written by hand as one DuckDB script: from webhook files to line counts and marts.
-- It has no memory of earlier runs, no checks, no contracts and no reasons for rejected lines; otherwise it gives the
-- same tables. floor.py sets the variables: `files` (a list), `reference` (the folder of reference tables), `as_of`.

------------------------------------------------------------------------------------------------------------------------
-- What is given
------------------------------------------------------------------------------------------------------------------------

create schema marts;
create schema audit;

create temp macro hours(earlier, later) as (epoch_us(later) - epoch_us(earlier)) / 1000000.0 / 3600.0;
create temp macro days(earlier, later) as (epoch_us(later) - epoch_us(earlier)) / 1000000.0 / 86400.0;
create temp macro share(part, whole) as part::double / nullif(whole, 0);

create temp table stages as from read_csv(getvariable('reference') || '/stages.csv');
create temp table steps as from read_csv(getvariable('reference') || '/funnel_steps.csv');
create temp table effects as from read_csv(getvariable('reference') || '/incentive_effects.csv');
create temp table expected_moves as from read_csv(getvariable('reference') || '/expected_moves.csv');
create temp table contact_statuses as from read_csv(getvariable('reference') || '/contact_statuses.csv');

create temp table statuses as
select
    statuses.* exclude (status_rank, incentive_status),
    row_number() over (order by status_rank, status)::integer as status_rank,
    steps.step_order,
    steps.is_response,
    effects.changes_state,
    effects.requires_state,
    effects.backlog_state,
    effects.undoes_completion,
    coalesce(statuses.incentive_status, effects.incentive_status) as incentive_status
from read_csv(getvariable('reference') || '/participant_statuses.csv') as statuses
inner join steps on statuses.funnel_step = steps.step
inner join effects using (incentive_effect);

create temp table rules as
select
    rule_id,
    rule_name,
    counts as judged_kind,
    coalesce(cooldown_after, counts) as counted_kind,
    case when cooldown_after is null then at_most when cooldown_after = counts then 1 else 0 end as at_most,
    coalesce(
        within_days,
        case
            when cooldown_after in ('invitation', 'study_invitation') then 7
            when cooldown_after is not null then 30
        end
    )::integer as within_days
from read_csv(getvariable('reference') || '/governance_rules.csv');

------------------------------------------------------------------------------------------------------------------------
-- Lines: what each is. A line that cannot be read as text, or has a raw control character, goes to `reject_errors`.
------------------------------------------------------------------------------------------------------------------------

create temp macro text_of(json) as nullif(case when starts_with(json, '"') then json ->> '$' end, '');

create temp macro instant_of(text) as
    case
        when regexp_full_match(
            text, '\d{4}-\d\d-\d\d[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)'
        )
            then try_cast(text as timestamptz)
    end;

create temp table lines as
with

physical as (
    select line
    from read_csv(
        getvariable('files'), columns = {'line': 'varchar'}, auto_detect = false, header = false, delim = '\x01',
        quote = '', escape = '', new_line = '\n', strict_mode = false, store_rejects = true
    )
),

documents as (
    select
        line,
        from_json(
            case when json_valid(line) then line end,
            '{"_eventType": "JSON", "participantId": "JSON", "personId": "JSON", "studyId": "JSON",
              "status": "JSON", "priorStatus": "JSON", "updatedAt": "JSON", "payload": "JSON"}'
        ) as document
    from physical
),

bodies as (
    select
        line,
        case
            when document._eventType is null and document.payload is not null
                then from_json(
                    document.payload,
                    '{"_eventType": "JSON", "participantId": "JSON", "personId": "JSON", "studyId": "JSON",
                      "status": "JSON", "priorStatus": "JSON", "updatedAt": "JSON", "payload": "JSON"}'
                )
            else document
        end as body
    from documents
),

read as (
    select
        line,
        text_of(body._eventType) as event_type,
        text_of(body.participantId) as participant_id,
        text_of(body.personId) as person_id,
        text_of(body.studyId) as study_id,
        text_of(body.status) as status,
        text_of(body.priorStatus) as prior_status,
        body.priorStatus is not null and prior_status is null as prior_status_is_wrong,
        instant_of(text_of(body.updatedAt)) as occurred_at
    from bodies
),

judged as (
    select
        *,
        case
            when event_type <> 'participant.status_changed' then 'other_event'
            when
                event_type is not null
                and participant_id is not null
                and person_id is not null
                and study_id is not null
                and occurred_at is not null
                and status in (select status from statuses)
                and not prior_status_is_wrong
                and (prior_status is null or prior_status in (select status from statuses))
                then 'accepted'
            when event_type is null and coalesce(trim(line, e' \t\v\f\r'), '') = '' then 'blank'
            else 'rejected'
        end as outcome
    from read
)

select
    outcome,
    participant_id,
    person_id,
    study_id,
    status,
    prior_status,
    occurred_at,
    case when outcome = 'rejected' then line end as line
from judged;

create temp table unreadable as
select distinct on (file_path, reject_errors.line) csv_line
from reject_errors
inner join reject_scans using (scan_id, file_id);

create table audit.rejected_lines as
select line from lines
where outcome = 'rejected'
union all
select csv_line from unreadable;

------------------------------------------------------------------------------------------------------------------------
-- Changes: distinct, in order, linked
------------------------------------------------------------------------------------------------------------------------

create temp table changes as
select
    participant_id,
    person_id,
    study_id,
    status,
    prior_status,
    occurred_at,
    count(*)::integer as deliveries
from lines
where outcome = 'accepted'
group by all;

create table audit.line_counts as
select
    (select count(*) from lines) + (select count(*) from unreadable) as lines,
    count(*) filter (outcome = 'blank') as blank,
    count(*) filter (outcome = 'accepted') as accepted,
    count(*) filter (outcome = 'other_event') as other_events,
    count(*) filter (outcome = 'rejected') + (select count(*) from unreadable) as rejected,
    (select count(*) from changes) as distinct_changes
from lines;

drop table lines;

-- What comes after the moment that the tables speak for is ignored.
delete from changes
where occurred_at > getvariable('as_of');

-- Changes of one instant take the order that breaks the fewest links. A knot is a run of such instants.
create temp table tied_changes as
with

tied_participants as (
    select distinct participant_id
    from (
        select participant_id
        from changes
        group by participant_id, occurred_at
        having count(*) > 1
    )
),

moments as (
    select
        participant_id,
        occurred_at,
        count(*) as changes_then,
        case when count(*) = 1 then min(status) end as only_status,
        case when count(*) = 1 then min(prior_status) end as only_prior_status
    from changes
    semi join tied_participants using (participant_id)
    group by participant_id, occurred_at
),

neighbours as (
    select
        *,
        lag(changes_then) over in_order as changes_before,
        lag(only_status) over in_order as status_before,
        lead(changes_then) over in_order as changes_after,
        lead(only_prior_status) over in_order as prior_status_after
    from moments
    window in_order as (partition by participant_id order by occurred_at)
),

knots as (
    select
        *,
        count(*) filter (coalesce(changes_before, 1) = 1)
            over (partition by participant_id order by occurred_at rows unbounded preceding) as knot
    from neighbours
    where changes_then > 1
),

placed as (
    select *, row_number() over (partition by participant_id, knot order by occurred_at) as moment from knots
)

select
    changes.*,
    statuses.status_rank,
    knot,
    moment,
    changes_then,
    row_number() over (
        partition by participant_id, occurred_at
        order by statuses.status_rank, coalesce(prior_statuses.status_rank, 0), person_id, study_id
    ) as member,
    status_before,
    changes_after = 1 as is_followed,
    prior_status_after
from changes
inner join placed using (participant_id, occurred_at)
inner join statuses using (status)
left join statuses as prior_statuses on changes.prior_status = prior_statuses.status;

create temp table tie_order as
with recursive

members as (
    from tied_changes
    where changes_then <= 60
),

beginnings as (
    select
        participant_id,
        knot,
        1 as moment,
        0::bigint as used,
        status_before as last_status,
        0 as broken_links,
        '' as ranks,
        '' as path
    from members
    where moment = 1 and member = 1

    union all

    select
        participant_id,
        knot,
        moment + completes_moment as moment,
        case when completes_moment = 1 then 0 else used end as used,
        last_status,
        broken_links,
        ranks,
        path
    from (
        select
            beginnings.participant_id,
            beginnings.knot,
            beginnings.moment,
            used + (1::bigint << (member - 1)::integer) as used,
            (bit_count(beginnings.used) + 1 = changes_then)::integer as completes_moment,
            status as last_status,
            broken_links + (prior_status is distinct from beginnings.last_status)::integer as broken_links,
            ranks || lpad(status_rank::varchar, 4, '0') as ranks,
            path || ',' || lpad(members.moment::varchar, 4, '0') || ':' || lpad(member::varchar, 3, '0') as path
        from beginnings
        inner join members
            on
                beginnings.participant_id = members.participant_id
                and beginnings.knot = members.knot
                and beginnings.moment = members.moment
                and (beginnings.used & (1::bigint << (member - 1)::integer)) = 0
    )
    qualify
        row_number() over (
            partition by participant_id, knot, used, last_status order by broken_links, ranks, path
        ) = 1
        and row_number() over (partition by participant_id, knot order by broken_links, ranks, path) <= 2000
),

ends as (
    select participant_id, knot, moment + 1 as moment, is_followed, prior_status_after
    from members
    where member = 1
    qualify row_number() over (partition by participant_id, knot order by members.moment desc) = 1
),

best as (
    select participant_id, knot, path
    from beginnings
    inner join ends using (participant_id, knot, moment)
    qualify row_number() over (
        partition by participant_id, knot
        order by
            broken_links
            + (coalesce(is_followed, false) and prior_status_after is distinct from last_status)::integer,
            ranks,
            path
    ) = 1
)

select
    participant_id,
    occurred_at,
    status,
    prior_status,
    person_id,
    study_id,
    coalesce(
        strpos(path, ',' || lpad(moment::varchar, 4, '0') || ':' || lpad(member::varchar, 3, '0')), member
    ) as tie_position
from tied_changes
left join best using (participant_id, knot);

create temp table linked as
with

placed as (
    select changes.*, coalesce(tie_position, 0) as tie_position
    from changes
    left join tie_order
        on
            changes.participant_id = tie_order.participant_id
            and changes.occurred_at = tie_order.occurred_at
            and changes.status = tie_order.status
            and changes.prior_status is not distinct from tie_order.prior_status
            and changes.person_id = tie_order.person_id
            and changes.study_id = tie_order.study_id
),

neighbours as (
    select
        * exclude (person_id, study_id, tie_position),
        row_number() over in_order as position,
        lag(status) over in_order as status_before,
        lag(occurred_at) over in_order as occurred_before,
        lead(occurred_at) over in_order as ended_at,
        last_value(person_id) over whole as person_id,
        last_value(study_id) over whole as study_id,
        last_value(status) over whole as current_status
    from placed
    window
        in_order as (partition by participant_id order by occurred_at, tie_position),
        whole as (
            partition by participant_id order by occurred_at, tie_position
            rows between unbounded preceding and unbounded following
        )
)

select
    * exclude (position),
    coalesce(prior_status, '') <> coalesce(status_before, '') as follows_gap,
    follows_gap and prior_status is not null as has_inferred,
    (
        position + count(*) filter (follows_gap and prior_status is not null)
            over (partition by participant_id order by position rows unbounded preceding)
    )::integer as sequence_number
from neighbours;

drop table changes;

create table audit.gaps as
select
    participant_id,
    person_id,
    study_id,
    sequence_number,
    status_before,
    prior_status,
    status,
    occurred_before as lost_after,
    occurred_at as lost_before
from linked
where follows_gap;

------------------------------------------------------------------------------------------------------------------------
-- Studies, and the history of everyone
------------------------------------------------------------------------------------------------------------------------

create temp table studies as
with

seen as (
    select study_id, status from linked
    union
    select study_id, prior_status from linked
    where has_inferred
),

activities as (
    select
        study_id,
        count(distinct activity) as activities,
        min(activity) as activity
    from seen
    inner join statuses using (status)
    group by study_id
)

select
    study_id,
    study_name,
    coalesce(study_type, case when activities > 1 then 'mixed' else activity end, 'unknown') as study_type,
    coalesce(incentives_enabled, true) as incentives_enabled,
    incentive_cents,
    participation_limit
from activities
left join described_studies using (study_id);

create table marts.status_changes as
with

all_changes as (
    select
        participant_id,
        person_id,
        study_id,
        sequence_number,
        prior_status,
        status,
        occurred_at,
        ended_at,
        ended_at is null as is_current,
        false as is_inferred,
        follows_gap,
        deliveries
    from linked
    union all
    select
        participant_id,
        person_id,
        study_id,
        sequence_number - 1,
        null,
        prior_status,
        occurred_at,
        occurred_at,
        false,
        true,
        false,
        0
    from linked
    where has_inferred
)

select
    participant_id,
    person_id,
    study_id,
    sequence_number,
    prior_status,
    status,
    case when incentives_enabled then stage else coalesce(stage_without_incentives, stage) end as stage,
    occurred_at,
    ended_at,
    is_current,
    is_inferred,
    follows_gap,
    deliveries
from all_changes
inner join statuses using (status)
inner join studies using (study_id);

create table marts.incentive_states as
with

effects as (
    select
        participant_id,
        person_id,
        study_id,
        sequence_number,
        occurred_at,
        requires_state,
        backlog_state,
        incentive_status,
        last_value(case when requires_state is null then coalesce(backlog_state, 'none') end ignore nulls) over (
            partition by participant_id order by sequence_number rows unbounded preceding
        ) as decided_state
    from marts.status_changes
    inner join statuses using (status)
    semi join (
        -- Only people to whom something was owed, sent or settled have a state.
        select participant_id
        from marts.status_changes
        inner join statuses using (status)
        inner join studies using (study_id)
        where incentives_enabled and requires_state is null and incentive_status is not null
    ) using (participant_id)
    where changes_state
),

-- A bounce takes hold only on the state that it requires, else it is as if it had not been.
beginnings as (
    from effects
    where requires_state is null or requires_state = decided_state
    window in_order as (partition by participant_id order by sequence_number)
    qualify
        lag(backlog_state) over in_order is distinct from backlog_state
        or lag(incentive_status) over in_order is distinct from incentive_status
)

select
    participant_id,
    person_id,
    study_id,
    sequence_number,
    backlog_state,
    incentive_status,
    occurred_at as began_at,
    lead(occurred_at) over (partition by participant_id order by sequence_number) as ended_at
from beginnings;

-- One row per participant: everything about them that one pass over their changes can tell.
create temp table histories as
with

marked as (
    select
        status_changes.*,
        statuses.* exclude (status, stage),
        not is_inferred and is_contact as contacts,
        not is_inferred and is_invitation as invites,
        not is_inferred and is_completion as completes,
        not is_inferred and is_response as responds,
        case when not is_inferred then dashboard_series end as series,
        occurred_at > getvariable('as_of') - to_hours(24 * 30) as in_30d,
        occurred_at > getvariable('as_of') - to_hours(24 * 90) as in_90d,
        occurred_at > getvariable('as_of') - to_hours(24 * 365) as in_365d
    from marts.status_changes
    inner join statuses using (status)
)

select
    participant_id,
    person_id,
    study_id,

    min(occurred_at) as first_seen_at,
    max(occurred_at) as last_changed_at,
    max(step_order) as furthest_step_order,
    count(*) filter (not is_inferred) as status_changes,
    count(*) filter (follows_gap) as missing_changes,

    count(*) filter (contacts) as contacts,
    count(*) filter (contacts and in_30d) as contacts_30d,
    count(*) filter (contacts and in_90d) as contacts_90d,
    max(occurred_at) filter (contacts) as last_contact_at,
    min(occurred_at) filter (invites) as first_invited_at,
    min(sequence_number) filter (invites) as first_invitation_number,
    max(occurred_at) filter (invites) as last_invited_at,
    max(sequence_number) filter (invites) as last_invitation_number,
    max(sequence_number) filter (responds) as last_response_number,

    max(occurred_at) filter (ends_contact) as contact_ended_at,
    max(sequence_number) filter (ends_contact) as contact_ended_number,
    max(occurred_at) filter (is_invitation) as last_invitation_known_at,
    max(occurred_at) filter (is_completion) as last_completion_known_at,

    min(occurred_at) filter (completes and activity = 'interview') as first_interview_completed_at,
    min(occurred_at) filter (completes and activity = 'survey') as first_survey_completed_at,
    min(occurred_at) filter (completes and activity = 'unmoderated_test') as first_unmoderated_test_completed_at,
    min(occurred_at) filter (completes) as first_completed_at,
    max(occurred_at) filter (completes) as last_completed_at,
    count(*) filter (series = 'interviews_completed') as interviews_completed,
    count(*) filter (series = 'interviews_completed' and in_30d) as interviews_completed_30d,
    count(*) filter (series = 'interviews_completed' and in_90d) as interviews_completed_90d,
    count(*) filter (series = 'interviews_completed' and in_365d) as interviews_completed_365d,
    count(*) filter (series = 'surveys_completed') as surveys_completed,
    count(*) filter (series = 'surveys_completed' and in_30d) as surveys_completed_30d,
    count(*) filter (series = 'surveys_completed' and in_90d) as surveys_completed_90d,
    count(*) filter (series = 'surveys_completed' and in_365d) as surveys_completed_365d,
    count(*) filter (series = 'tests_completed') as tests_completed,
    count(*) filter (series = 'tests_completed' and in_30d) as tests_completed_30d,
    count(*) filter (series = 'tests_completed' and in_90d) as tests_completed_90d,
    count(*) filter (series = 'tests_completed' and in_365d) as tests_completed_365d,
    count(*) filter (series = 'no_shows') as no_shows,
    count(*) filter (series = 'interviews_cancelled') as interviews_cancelled,
    count(*) filter (series = 'incentives_sent') as incentives_sent,
    count(*) filter (series = 'incentives_claimed') as incentives_claimed,

    bool_or(is_invitation) as was_invited,
    bool_or(dashboard_series = 'screeners_completed') as was_screened,
    bool_or(is_screener_pass) as passed_screener,
    bool_or(dashboard_series = 'interviews_scheduled') as booked_interview,
    bool_or(dashboard_series = 'interviews_cancelled') as cancelled_interview,
    bool_or(dashboard_series = 'no_shows') as missed_interview,
    bool_or(dashboard_series = 'opt_outs') as opted_out,
    bool_or(dashboard_series = 'bounces') as bounced
from marked
group by participant_id, person_id, study_id;

create table marts.participants as
with

current_changes as (
    select
        participant_id,
        status,
        stage
    from marts.status_changes
    where is_current
),

other_statuses as (
    select
        participant_id,
        max(ended_at) as other_status_until
    from (
        select participant_id, ended_at from linked
        where status <> current_status
        union all
        select participant_id, occurred_at from linked
        where has_inferred and prior_status <> current_status
    )
    group by participant_id
)

select
    participant_id,
    person_id,
    study_id,
    study_type,
    status as current_status,
    label as current_status_label,
    current_changes.stage as current_stage,
    is_terminal,
    coalesce(other_status_until, first_seen_at) as status_since,
    first_seen_at,
    last_changed_at,
    steps.step as furthest_step,
    incentive_states.incentive_status,
    status_changes::integer as status_changes,
    missing_changes::integer as missing_changes
from histories
inner join current_changes using (participant_id)
inner join statuses using (status)
inner join stages on current_changes.stage = stages.stage
inner join steps on histories.furthest_step_order = steps.step_order
inner join studies using (study_id)
left join other_statuses using (participant_id)
left join (
    select participant_id, incentive_status from marts.incentive_states
    where ended_at is null
) as incentive_states using (participant_id);

------------------------------------------------------------------------------------------------------------------------
-- Moves and visits
------------------------------------------------------------------------------------------------------------------------

create table marts.transitions as
with

counted as (
    select
        study_id,
        prior_status as from_status,
        status as to_status,
        count(*)::integer as transitions,
        count(hours)::integer as timed_transitions,
        median(hours) as median_hours
    from (select *, case when not follows_gap then hours(occurred_before, occurred_at) end as hours from linked)
    group by all
),

activities as (
    select distinct activity from statuses
    where activity is not null
),

-- In a study of several activities, or of none yet, whatever is expected anywhere is.
expected as (
    select distinct
        studies.study_id,
        from_status,
        to_status
    from studies
    inner join expected_moves
        on
            expected_moves.study_type in ('any', studies.study_type)
            or studies.study_type not in (select activity from activities)
)

select
    counted.study_id,
    study_type,
    counted.from_status,
    counted.to_status,
    expected.study_id is not null as is_expected,
    transitions,
    timed_transitions,
    median_hours
from counted
inner join studies using (study_id)
left join expected
    on
        counted.study_id = expected.study_id
        and counted.from_status is not distinct from expected.from_status
        and counted.to_status = expected.to_status;

-- A visit is an unbroken run of a stage or a status. A run of inferred changes alone is none, but ends the one before.
create temp table beginnings as
select
    participant_id,
    study_id,
    sequence_number,
    stage,
    status,
    occurred_at,
    coalesce(lag(stage) over in_order <> stage, true) as begins_stage,
    coalesce(lag(status) over in_order <> status, true) as begins_status,
    is_inferred and coalesce(lead(stage) over in_order <> stage, true) as is_stage_inferred_alone,
    is_inferred and coalesce(lead(status) over in_order <> status, true) as is_status_inferred_alone
from marts.status_changes
window in_order as (partition by participant_id order by sequence_number)
qualify begins_stage or begins_status;

create temp table stage_visits as
with

runs as (
    select
        *,
        lead(occurred_at) over (partition by participant_id order by sequence_number) as ended_at
    from beginnings
    where begins_stage
)

select
    participant_id,
    study_id,
    stage,
    occurred_at as started_at,
    ended_at,
    hours(started_at, coalesce(ended_at, getvariable('as_of'))) as hours
from runs
where not is_stage_inferred_alone;

create temp table status_visits as
with

runs as (
    select
        *,
        lead(occurred_at) over (partition by participant_id order by sequence_number) as ended_at
    from beginnings
    where begins_status
)

select
    participant_id,
    study_id,
    status,
    ended_at,
    hours(occurred_at, coalesce(ended_at, getvariable('as_of'))) as hours
from runs
where not is_status_inferred_alone;

drop table beginnings;

create table marts.stage_durations as
with

by_participant as (
    select
        study_id,
        stage,
        sum((hours * 3600)::decimal(18, 6)) filter (ended_at is not null)::double / 3600 as completed_hours
    from stage_visits
    group by study_id, stage, participant_id
),

participants as (
    select
        study_id,
        stage,
        count(*)::integer as participants,
        median(completed_hours) as median_hours_per_participant
    from by_participant
    group by study_id, stage
),

visits as (
    select
        study_id,
        stage,
        count(*)::integer as visits,
        count(ended_at)::integer as completed_visits,
        count(*) filter (ended_at is null)::integer as open_visits,
        median(hours) filter (ended_at is not null) as median_hours,
        quantile_cont(hours, 0.9) filter (ended_at is not null) as p90_hours,
        max(hours) filter (ended_at is not null) as max_hours,
        max(hours) filter (ended_at is null) as oldest_open_hours
    from stage_visits
    group by study_id, stage
)

select
    study_id,
    stage,
    participants,
    visits,
    completed_visits,
    open_visits,
    median_hours,
    p90_hours,
    max_hours,
    median_hours_per_participant,
    oldest_open_hours
from visits
inner join participants using (study_id, stage);

create table marts.status_durations as
with

by_participant as (
    select
        study_id,
        status,
        sum((hours * 3600)::decimal(18, 6)) filter (ended_at is not null)::double / 3600 as completed_hours
    from status_visits
    group by study_id, status, participant_id
),

participants as (
    select
        study_id,
        status,
        count(*)::integer as participants,
        median(completed_hours) as median_hours_per_participant
    from by_participant
    group by study_id, status
),

visits as (
    select
        study_id,
        status,
        count(*)::integer as visits,
        count(ended_at)::integer as completed_visits,
        count(*) filter (ended_at is null)::integer as open_visits,
        median(hours) filter (ended_at is not null) as median_hours,
        quantile_cont(hours, 0.9) filter (ended_at is not null) as p90_hours,
        max(hours) filter (ended_at is not null) as max_hours,
        max(hours) filter (ended_at is null) as oldest_open_hours
    from status_visits
    group by study_id, status
)

select
    study_id,
    status,
    participants,
    visits,
    completed_visits,
    open_visits,
    median_hours,
    p90_hours,
    max_hours,
    median_hours_per_participant,
    oldest_open_hours
from visits
inner join participants using (study_id, status);

drop table status_visits;

create table marts.ageing_participants as
with

visits as (
    select
        participant_id,
        study_type,
        stage,
        started_at,
        ended_at,
        hours
    from stage_visits
    inner join studies using (study_id)
    inner join stages using (stage)
    where not is_terminal
),

-- A range, not rows: visits that took equally long all count.
compared as (
    select
        *,
        count(ended_at) over (
            partition by study_type, stage order by hours range between unbounded preceding and current row
        ) as completed_no_longer,
        count(ended_at) over (partition by study_type, stage) as completed
    from visits
    qualify ended_at is null
)

select
    participant_id,
    person_id,
    study_id,
    participants.study_type,
    current_stage,
    current_status,
    current_status_label,
    started_at as stage_since,
    hours as hours_in_stage,
    share(completed_no_longer, completed) as percentile,
    coalesce(percentile > 0.9, false) as is_stalled,
    is_moved_by_hand as is_to_be_moved_by_hand
from compared
inner join marts.participants using (participant_id)
inner join statuses on participants.current_status = statuses.status;

create table marts.study_stage_daily as
with

moves as (
    select
        study_id,
        stage,
        day,
        count(*) filter (entered) as entered,
        count(*) filter (not entered) as exited
    from (
        select study_id, stage, started_at::date as day, true as entered from stage_visits
        union all
        select study_id, stage, ended_at::date, false from stage_visits
        where ended_at is not null
    )
    group by study_id, stage, day
),

balances as (
    select
        *,
        sum(entered - exited) over in_order as participants,
        lead(day) over in_order as next_day
    from moves
    window in_order as (partition by study_id, stage order by day)
),

days as (
    select
        *,
        unnest(generate_series(
            day::timestamp,
            case when participants = 0 then day else coalesce(next_day - 1, getvariable('as_of')::date) end::timestamp,
            interval 1 day
        ))::date as on_day
    from balances
)

select
    study_id,
    on_day as day,
    stage,
    participants::integer as participants,
    case when on_day = days.day then entered else 0 end::integer as entered,
    case when on_day = days.day then exited else 0 end::integer as "left"
from days;

drop table stage_visits;

------------------------------------------------------------------------------------------------------------------------
-- Funnels
------------------------------------------------------------------------------------------------------------------------

create temp table participant_steps as
select
    participant_id,
    study_id,
    step_order,
    min(occurred_at) as first_at,
    min(delivered_at) as first_delivered_at
from (
    select
        participant_id,
        study_id,
        step_order,
        occurred_at,
        case when not is_inferred then occurred_at end as delivered_at
    from marts.status_changes
    inner join statuses using (status)
    union all
    -- Everyone has the first step.
    select participant_id, study_id, (select min(step_order) from steps), first_seen_at, null
    from histories
)
group by participant_id, study_id, step_order;

create temp table study_steps as
select
    study_id,
    step,
    step_order,
    count(*)::integer as observed,
    lag(step_order) over (partition by study_id order by step_order) as previous_step_order
from participant_steps
inner join steps using (step_order)
group by study_id, step, step_order;

create temp table stops as
select
    study_id,
    step_order as furthest_step_order,
    current_status,
    current_status_label,
    is_terminal and current_status <> 'INCENTIVE_SENT' as is_lost,
    count(*) as participants
from marts.participants
inner join steps on furthest_step = step
group by all;

create table marts.study_funnel as
with

counts as (
    select
        study_id,
        step,
        step_order,
        observed,
        sum(participants) filter (furthest_step_order >= step_order) as reached,
        sum(participants) filter (furthest_step_order < step_order and not is_lost) as dropped_active,
        sum(participants) filter (furthest_step_order < step_order and is_lost) as dropped_lost
    from study_steps
    inner join stops using (study_id)
    where furthest_step_order >= coalesce(previous_step_order, step_order)
    group by study_id, step, step_order, observed
),

timed as (
    select
        arrivals.study_id,
        arrivals.step_order,
        hours(departures.first_delivered_at, arrivals.first_delivered_at) as hours
    from participant_steps as arrivals
    inner join study_steps using (study_id, step_order)
    inner join participant_steps as departures
        on
            arrivals.participant_id = departures.participant_id
            and study_steps.previous_step_order = departures.step_order
    where arrivals.first_delivered_at >= departures.first_delivered_at
),

times as (
    select
        study_id,
        step_order,
        count(*)::integer as converted_timed,
        median(hours) as median_hours,
        quantile_cont(hours, 0.9) as p90_hours
    from timed
    group by study_id, step_order
)

select
    study_id,
    step,
    step_order::integer as step_order,
    observed,
    reached::integer as reached,
    share(reached, lag(reached) over in_order) as conversion_from_previous,
    share(reached, first_value(reached) over in_order) as conversion_from_first,
    coalesce(dropped_active, 0)::integer as dropped_active,
    coalesce(dropped_lost, 0)::integer as dropped_lost,
    coalesce(converted_timed, 0) as converted_timed,
    median_hours as median_hours_from_previous,
    p90_hours as p90_hours_from_previous
from counts
left join times using (study_id, step_order)
window in_order as (partition by study_id order by step_order);

create table marts.study_drop_off as
select
    study_id,
    study_steps.step,
    step_order::integer as step_order,
    current_status as status,
    current_status_label as status_label,
    participants::integer as participants,
    share(participants, dropped_active + dropped_lost) as share_of_drop,
    is_lost
from study_steps
inner join stops using (study_id)
inner join marts.study_funnel using (study_id, step_order)
where furthest_step_order = previous_step_order;

create table marts.study_funnel_cohorts as
with

spans as (
    select
        study_id,
        participant_id,
        first_seen_at,
        step_order,
        days(first_seen_at, first_at) as days_until,
        days(first_seen_at, getvariable('as_of')) as days_so_far
    from participant_steps
    inner join histories using (participant_id, study_id)
),

-- How far each has come, in all and within so many days; null for those who have not had so many days yet.
distances as (
    select
        study_id,
        date_trunc('week', first_seen_at::date)::date as cohort_week,
        max(step_order) filter (days_so_far >= 7 and days_until <= 7) as within_7d,
        max(step_order) filter (days_so_far >= 14 and days_until <= 14) as within_14d,
        max(step_order) filter (days_so_far >= 30 and days_until <= 30) as within_30d,
        max(step_order) filter (days_so_far >= 90 and days_until <= 90) as within_90d,
        max(step_order) as furthest
    from spans
    group by study_id, participant_id, first_seen_at
),

cohorts as (
    select *, count(*) as participants from distances
    group by all
)

select
    study_id,
    cohort_week,
    step,
    step_order::integer as step_order,
    sum(participants)::integer as participants,
    coalesce(sum(participants) filter (furthest >= step_order), 0)::integer as reached,
    coalesce(sum(participants) filter (within_7d >= step_order), 0)::integer as reached_within_7d,
    coalesce(sum(participants) filter (within_7d is not null), 0)::integer as matured_7d,
    coalesce(sum(participants) filter (within_14d >= step_order), 0)::integer as reached_within_14d,
    coalesce(sum(participants) filter (within_14d is not null), 0)::integer as matured_14d,
    coalesce(sum(participants) filter (within_30d >= step_order), 0)::integer as reached_within_30d,
    coalesce(sum(participants) filter (within_30d is not null), 0)::integer as matured_30d,
    coalesce(sum(participants) filter (within_90d >= step_order), 0)::integer as reached_within_90d,
    coalesce(sum(participants) filter (within_90d is not null), 0)::integer as matured_90d
from cohorts
inner join study_steps using (study_id)
group by study_id, cohort_week, step, step_order;

drop table participant_steps;

create table marts.activity_daily as
select
    occurred_at::date as day,
    study_id,
    dashboard_series as activity,
    count(*)::integer as changes
from linked
inner join statuses using (status)
left join (select status as prior_status, dashboard_series as prior_series from statuses) using (prior_status)
where
    dashboard_series is not null
    -- one screener, although it is completed first and judged later
    and not (
        dashboard_series = 'screeners_completed'
        and coalesce(prior_series, '') = dashboard_series
        and status <> prior_status
    )
group by all;

create temp table completions as
select
    participant_id,
    person_id,
    study_id,
    activity,
    sequence_number,
    occurred_at,
    is_inferred
from marts.status_changes
inner join statuses using (status)
where is_completion;

create table marts.time_to_recruit as
select
    participant_id,
    histories.person_id,
    histories.study_id,
    study_type,
    min_by(activity, sequence_number) as activity,
    first_invited_at as invited_at,
    min(occurred_at) as completed_at,
    hours(invited_at, completed_at) as hours
from histories
inner join completions using (participant_id)
inner join studies on histories.study_id = studies.study_id
where not is_inferred and first_invited_at <= occurred_at
group by participant_id, histories.person_id, histories.study_id, study_type, first_invited_at;

------------------------------------------------------------------------------------------------------------------------
-- Incentives
------------------------------------------------------------------------------------------------------------------------

create table marts.incentive_backlog as
with

sent_states as (
    select distinct backlog_state from effects
    where is_sent and backlog_state is not null
),

first_sent as (
    select participant_id, min(sequence_number) as first_sent_number
    from marts.incentive_states
    semi join sent_states using (backlog_state)
    group by participant_id
)

select
    participant_id,
    person_id,
    study_id,
    current_status,
    backlog_state,
    began_at as owed_since,
    days(began_at, getvariable('as_of')) as age_days,
    case
        when age_days < 3 then '0-2'
        when age_days < 8 then '3-7'
        when age_days < 15 then '8-14'
        when age_days < 31 then '15-30'
        else 'over 30'
    end as age_bucket,
    began_at < getvariable('as_of') - to_hours(24 * 5) as is_overdue,
    backlog_state not in (from sent_states) and not awaits_incentive as is_hidden,
    coalesce(first_sent_number < sequence_number, false) as previously_sent,
    incentive_cents as amount_cents
from marts.incentive_states
inner join marts.participants using (participant_id, person_id, study_id)
inner join stages on current_stage = stage
inner join studies using (study_id)
left join first_sent using (participant_id)
where ended_at is null and backlog_state is not null;

create table marts.incentive_backlog_daily as
with

spans as (
    select
        study_id,
        backlog_state,
        began_at::date as began_on,
        ended_at::date as ended_on,
        began_at + to_hours(24 * 5) as overdue_at,
        case when overdue_at < getvariable('as_of') then overdue_at::date end as overdue_on
    from marts.incentive_states
    where backlog_state is not null
),

moves as (
    select
        study_id,
        backlog_state,
        day,
        sum(moved) as moved,
        sum(moved_overdue) as moved_overdue
    from (
        select study_id, backlog_state, began_on as day, 1 as moved, 0 as moved_overdue from spans
        union all
        select study_id, backlog_state, ended_on, -1, case when overdue_on < ended_on then -1 else 0 end from spans
        where ended_on is not null
        union all
        select study_id, backlog_state, overdue_on, 0, 1 from spans
        where overdue_on is not null and (overdue_on < ended_on or ended_on is null)
    )
    group by study_id, backlog_state, day
),

balances as (
    select
        study_id,
        backlog_state,
        day as first_day,
        sum(moved) over in_order as participants,
        sum(moved_overdue) over in_order as overdue,
        coalesce(lead(day) over in_order - 1, getvariable('as_of')::date) as last_day
    from moves
    window in_order as (partition by study_id, backlog_state order by day)
    qualify participants > 0
)

select
    unnest(generate_series(first_day::timestamp, last_day::timestamp, interval 1 day))::date as day,
    study_id,
    backlog_state,
    participants::integer as participants,
    overdue::integer as overdue,
    (participants * incentive_cents)::bigint as amount_cents
from balances
inner join studies using (study_id);

------------------------------------------------------------------------------------------------------------------------
-- Progress and people
------------------------------------------------------------------------------------------------------------------------

create table marts.study_progress as
with

-- A move within one activity says nothing of another.
undone as (
    select
        participant_id,
        activity,
        max(sequence_number) as last_undone_by
    from marts.status_changes
    inner join statuses using (status)
    semi join completions using (participant_id)
    where undoes_completion
    group by participant_id, activity
),

standing as (
    select
        completions.participant_id,
        completions.activity,
        min(sequence_number) as sequence_number
    from completions
    left join undone as undone_at_all
        on completions.participant_id = undone_at_all.participant_id and undone_at_all.activity is null
    left join undone as undone_in_activity
        on
            completions.participant_id = undone_in_activity.participant_id
            and completions.activity = undone_in_activity.activity
    where sequence_number > greatest(undone_at_all.last_undone_by, undone_in_activity.last_undone_by, 0)
    group by completions.participant_id, completions.activity
),

-- Many people moved in one second were moved by hand, and so were those whose move is not expected.
bulk_edits as (
    select
        study_id,
        prior_status,
        status,
        date_trunc('second', occurred_at) as second
    from linked
    inner join statuses using (status)
    where prior_status is not null and not is_contact
    group by all
    having count(*) >= 5
),

manual as (
    select participant_id, sequence_number
    from standing
    inner join linked using (participant_id, sequence_number)
    inner join marts.transitions
        on
            linked.study_id = transitions.study_id
            and linked.prior_status is not distinct from transitions.from_status
            and linked.status = transitions.to_status
    left join bulk_edits
        on
            linked.study_id = bulk_edits.study_id
            and linked.prior_status = bulk_edits.prior_status
            and linked.status = bulk_edits.status
            and date_trunc('second', linked.occurred_at) = bulk_edits.second
    where not is_expected or bulk_edits.status is not null
),

completed as (
    select
        participant_id,
        bool_or(activity = 'interview') as completed_interview,
        bool_or(activity = 'survey') as completed_survey,
        bool_or(activity = 'unmoderated_test') as completed_test,
        count(manual.participant_id) as likely_manual_completions
    from standing
    left join manual using (participant_id, sequence_number)
    group by participant_id
),

by_study as (
    select
        participants.study_id,
        count(*)::integer as participants,
        count(*) filter (was_invited)::integer as invited,
        count(*) filter (was_screened) as screened,
        count(*) filter (passed_screener) as passed_screener,
        count(*) filter (booked_interview)::integer as interviews_booked,
        count(completed.participant_id)::integer as completed,
        count(*) filter (completed_interview)::integer as interviews_completed,
        count(*) filter (completed_survey)::integer as surveys_completed,
        count(*) filter (completed_test)::integer as tests_completed,
        coalesce(sum(likely_manual_completions), 0)::integer as likely_manual_completions,
        count(*) filter (missed_interview)::integer as no_shows,
        count(*) filter (missed_interview or completed_interview) as expected_at_interview,
        count(*) filter (cancelled_interview)::integer as cancellations,
        count(*) filter (opted_out)::integer as opt_outs,
        count(*) filter (bounced)::integer as bounces,
        count(*) filter (export_name = 'not_started')::integer as stage_not_started,
        count(*) filter (export_name = 'invited')::integer as stage_invited,
        count(*) filter (export_name = 'screening')::integer as stage_screening,
        count(*) filter (export_name = 'in_progress')::integer as stage_in_progress,
        count(*) filter (export_name = 'pending_incentive')::integer as stage_pending_incentive,
        count(*) filter (export_name = 'done')::integer as stage_done,
        count(*) filter (export_name = 'cancelled')::integer as stage_cancelled,
        count(incentive_backlog.participant_id)::integer as backlog,
        sum(participants.missing_changes)::integer as gaps,
        sum(participants.status_changes) as delivered_changes,
        min(participants.first_seen_at) as first_change_at,
        max(participants.last_changed_at) as last_change_at
    from marts.participants
    inner join histories using (participant_id)
    inner join stages on current_stage = stage
    left join completed using (participant_id)
    left join marts.incentive_backlog using (participant_id)
    group by participants.study_id
)

select
    study_id,
    study_name,
    study_type,
    participants,
    invited,
    interviews_booked,
    completed,
    interviews_completed,
    surveys_completed,
    tests_completed,
    likely_manual_completions,
    no_shows,
    cancellations,
    opt_outs,
    bounces,
    share(passed_screener, screened) as screener_pass_rate,
    share(interviews_completed, expected_at_interview) as show_rate,
    columns('^stage_'),
    backlog,
    participation_limit,
    greatest(participation_limit - completed, case when participation_limit is not null then 0 end) as remaining,
    gaps,
    share(delivered_changes, delivered_changes + gaps) as completeness,
    first_change_at,
    last_change_at
from by_study
inner join studies using (study_id);

create table marts.people as
with

late_cancellations as (
    select participant_id, count(*) as late_cancellations
    from linked
    inner join statuses using (status)
    inner join statuses as statuses_before on status_before = statuses_before.status
    where
        statuses.dashboard_series = 'interviews_cancelled'
        and statuses_before.dashboard_series = 'interviews_scheduled'
        and not follows_gap
        and hours(occurred_before, occurred_at) >= 48
    group by participant_id
),

studies_of_people as (
    select person_id, count(distinct study_id) as studies
    from histories
    group by person_id
),

judged as (
    select
        histories.*,
        studies,
        late_cancellations,
        last_response_number > first_invitation_number as has_responded,
        case when contact_ended_number > coalesce(last_invitation_number, 0) then contact_ended_at end as opted_out_at,
        greatest(
            last_invitation_known_at + to_hours(24 * 7), last_completion_known_at + to_hours(24 * 30)
        ) as cooldown_ends_at,
        is_active,
        export_name
    from histories
    inner join marts.participants using (participant_id)
    inner join stages on current_stage = stage
    inner join studies_of_people on histories.person_id = studies_of_people.person_id
    left join late_cancellations using (participant_id)
),

by_person as (
    select
        person_id,
        min(first_seen_at) as first_seen_at,
        max(last_changed_at) as last_changed_at,
        max(last_contact_at) as last_contact_at,
        max(last_invited_at) as last_invited_at,
        max(last_completed_at) as last_completed_at,
        max(opted_out_at) as opted_out_at,
        max(cooldown_ends_at) as cooldown_ends_at,
        max(studies)::integer as studies,
        count(*) filter (export_name = 'not_started')::integer as studies_not_started,
        count(*) filter (is_active)::integer as studies_active,
        count(*) filter (export_name = 'done')::integer as studies_done,
        count(*) filter (export_name = 'cancelled')::integer as studies_cancelled,
        count(first_invited_at)::integer as studies_invited,
        count(*) filter (has_responded) as studies_responded,
        sum(contacts)::integer as contacts,
        sum(contacts_30d)::integer as contacts_30d,
        sum(contacts_90d)::integer as contacts_90d,
        sum(interviews_completed)::integer as interviews_completed,
        sum(interviews_completed_30d)::integer as interviews_completed_30d,
        sum(interviews_completed_90d)::integer as interviews_completed_90d,
        sum(interviews_completed_365d)::integer as interviews_completed_365d,
        sum(surveys_completed)::integer as surveys_completed,
        sum(surveys_completed_30d)::integer as surveys_completed_30d,
        sum(surveys_completed_90d)::integer as surveys_completed_90d,
        sum(surveys_completed_365d)::integer as surveys_completed_365d,
        sum(tests_completed)::integer as tests_completed,
        sum(tests_completed_30d)::integer as tests_completed_30d,
        sum(tests_completed_90d)::integer as tests_completed_90d,
        sum(tests_completed_365d)::integer as tests_completed_365d,
        sum(no_shows)::integer as no_shows,
        sum(interviews_cancelled)::integer as interviews_cancelled,
        coalesce(sum(late_cancellations), 0)::integer as late_cancellations,
        sum(incentives_sent)::integer as incentives_sent,
        sum(incentives_claimed)::integer as incentives_claimed
    from judged
    group by person_id
)

select
    person_id,
    person_name,
    case
        when opted_out_at >= coalesce(last_invited_at, opted_out_at) then 'Opted Out'
        when is_set_by_hand then contact_status
        when cooldown_ends_at > getvariable('as_of') then 'In Cooldown'
        else 'Free to Contact'
    end as contact_status,
    case when cooldown_ends_at > getvariable('as_of') then cooldown_ends_at end as cooldown_ends_at,
    studies_active > 0 as is_active_in_study,
    by_person.* exclude (person_id, opted_out_at, last_invited_at, cooldown_ends_at, studies_responded),
    share(studies_responded, studies_invited) as response_rate
from by_person
left join described_people using (person_id)
left join contact_statuses using (contact_status);

create table marts.contact_limits as
with

events as (
    select person_id, 'invitation' as kind, occurred_at
    from linked
    inner join statuses using (status)
    where is_invitation
    union all
    select
        person_id,
        unnest(['study_invitation', 'participation', 'interview', 'survey', 'unmoderated_test']),
        unnest([
            first_invited_at, first_completed_at, first_interview_completed_at, first_survey_completed_at,
            first_unmoderated_test_completed_at
        ])
    from histories
),

governed as (
    select
        rule_id,
        at_most,
        within_days,
        person_id,
        occurred_at,
        kind = judged_kind as judged,
        kind = counted_kind as counted
    from events
    inner join rules on kind in (judged_kind, counted_kind)
    where occurred_at is not null
),

-- Who has no more than is allowed in all their time cannot have more in a part of it.
suspicious as (
    from governed
    semi join (
        select rule_id, person_id
        from governed
        group by rule_id, person_id, at_most
        having count(*) filter (counted) > at_most and bool_or(judged)
    ) using (rule_id, person_id)
),

-- An event enters the window when it happens and leaves it so many days later.
windows as (
    select
        *,
        sum(moved) over (
            partition by rule_id, person_id order by moved_at range between unbounded preceding and current row
        ) as in_window
    from (
        select rule_id, at_most, person_id, occurred_at as moved_at, judged, counted::integer as moved from suspicious
        union all
        select rule_id, at_most, person_id, occurred_at + to_hours(24 * within_days), false, -1 from suspicious
        where counted
    )
)

select
    person_id,
    rule_id,
    rule_name,
    rules.at_most::integer as at_most,
    within_days,
    min(moved_at) filter (judged and in_window > windows.at_most) as first_exceeded_at,
    max(moved_at) filter (judged and in_window > windows.at_most) as last_exceeded_at,
    count(*) filter (judged and in_window > windows.at_most)::integer as times_exceeded,
    max(in_window) filter (judged)::integer as most_in_window,
    (most_in_window - rules.at_most)::integer as exceeded_by,
    coalesce(sum(moved) filter (moved_at <= getvariable('as_of')), 0)::integer as in_window_now
from windows
inner join rules using (rule_id)
group by person_id, rule_id, rule_name, rules.at_most, within_days
having times_exceeded > 0;
