{#- How many paths of a study have a row of their own. The next row has all others. -#}
{%- set shown = 10 -%}
with

-- An unbroken run of a status counts once. An inferred change always begins one.
changes as (
    select
        *,
        cast(sequence_number as bigint) * 100000 + status_rank as position_and_rank
    from {{ ref('int_status_changes') }}
    where is_inferred or status_rank <> case when follows_gap and prior_rank <> 0 then prior_rank else rank_before end
),

-- `started_at` is null if the first change follows a gap, because it is not known when the participant began.
ways as (
    select
        study_key,
        {{ sorted_list('position_and_rank') }} as positions_and_ranks,
        {{ list_map(sorted_list('position_and_rank'), 'each_one', 'each_one % 100000') }} as ranks,
        max_by(stage_order, position_and_rank) as stage_order,
        min(case when sequence_number = 1 and not is_inferred then occurred_at end) as started_at,
        max(occurred_at) as arrived_at
    from changes
    group by participant_key, study_key
),

counted as (
    select
        study_key,
        ranks,
        min(stage_order) as stage_order,
        min(positions_and_ranks) as positions_and_ranks,
        count(*) as participants
    from ways
    group by study_key, ranks
),

numbered as (
    select
        *,
        row_number() over (partition by study_key order by participants desc, ranks asc) as number_in_study,
        sum(participants) over (partition by study_key) as participants_of_study
    from counted
),

statuses_on_the_way as (
    {{ each_element('numbered', 'positions_and_ranks', 'position_and_rank') }}
    where number_in_study <= {{ shown }}
),

named as (
    select
        on_the_way.study_key,
        on_the_way.number_in_study,
        {{ joined_in_order('statuses.status', 'on_the_way.position_and_rank', ' > ') }} as path,
        {{ joined_in_order('statuses.label', 'on_the_way.position_and_rank', ' → ') }} as path_labels,
        max_by(statuses.stalled_action, on_the_way.position_and_rank) as stalled_action
    from statuses_on_the_way as on_the_way
    inner join {{ ref('stg_statuses') }} as statuses
        on on_the_way.position_and_rank % 100000 = statuses.status_rank
    group by on_the_way.study_key, on_the_way.number_in_study
),

rows_of_study as (
    select
        numbered.study_key,
        least(numbered.number_in_study, {{ shown + 1 }}) as place,
        max(numbered.number_in_study) - min(numbered.number_in_study) + 1 as variants,
        count(*) as participants,
        count(case when not coalesce(stages.is_terminal, false) then 1 end) as without_end,
        count(ways.started_at) as timed,
        max(numbered.participants_of_study) as participants_of_study,
        max(case when numbered.number_in_study <= {{ shown }} then numbered.stage_order end) as stage_order,
        {{ percentile(hours_between('ways.started_at', 'ways.arrived_at'), 0.5, [0.5, 0.9]) }} as median_hours,
        {{ percentile(hours_between('ways.started_at', 'ways.arrived_at'), 0.9, [0.5, 0.9]) }} as p90_hours,
        {{ percentile(
            'case when not coalesce(stages.is_terminal, false) then ' ~ hours_between('ways.arrived_at', as_of()) ~ ' end', 0.5
        ) }} as median_hours_since
    from ways
    inner join numbered
        on ways.study_key = numbered.study_key and ways.ranks = numbered.ranks
    left join {{ ref('stages') }} as stages
        on numbered.stage_order = stages.stage_order
    group by numbered.study_key, least(numbered.number_in_study, {{ shown + 1 }})
)

select
    progress.study_id,
    progress.study_name,
    cast(rows_of_study.place as integer) as place,
    named.path,
    named.path_labels,
    stages.stage as last_stage,
    case
        when named.path is null then null
        when stages.is_terminal then 'ended'
        when coalesce(stages.awaits_incentive, false) or not {{ is_let_go('named', 'progress') }} then 'open'
        else 'stopped'
    end as outcome,

    cast(rows_of_study.variants as integer) as variants,
    cast(rows_of_study.participants as integer) as participants,
    {{ ratio('rows_of_study.participants', 'rows_of_study.participants_of_study') }} as share_of_study,
    cast(rows_of_study.without_end as integer) as without_end,
    cast(rows_of_study.timed as integer) as timed,
    rows_of_study.median_hours,
    rows_of_study.p90_hours,
    rows_of_study.median_hours_since
from rows_of_study
inner join {{ ref('int_studies') }} as studies
    on rows_of_study.study_key = studies.study_key
inner join {{ ref('study_progress') }} as progress
    on studies.study_id = progress.study_id
left join named
    on rows_of_study.study_key = named.study_key and rows_of_study.place = named.number_in_study
left join {{ ref('stages') }} as stages
    on rows_of_study.stage_order = stages.stage_order
