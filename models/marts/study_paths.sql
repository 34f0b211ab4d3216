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
paths as (
    select
        study_key,
        {{ sorted_list('position_and_rank') }} as positions_and_ranks,
        {{ list_map(sorted_list('position_and_rank'), 'each_position', 'each_position % 100000') }} as ranks,
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
    from paths
    group by study_key, ranks
),

numbered as (
    select
        *,
        row_number() over (partition by study_key order by participants desc, ranks asc) as number_in_study,
        sum(participants) over (partition by study_key) as participants_of_study
    from counted
),

path_statuses as (
    {{ each_element('numbered', 'positions_and_ranks', 'position_and_rank') }}
    where number_in_study <= {{ shown }}
),

named as (
    select
        path_statuses.study_key,
        path_statuses.number_in_study,
        {{ joined_in_order('statuses.status', 'path_statuses.position_and_rank', ' > ') }} as path,
        {{ joined_in_order('statuses.label', 'path_statuses.position_and_rank', ' → ') }} as path_labels,
        max_by(statuses.stalled_action, path_statuses.position_and_rank) as stalled_action
    from path_statuses
    inner join {{ ref('stg_statuses') }} as statuses
        on path_statuses.position_and_rank % 100000 = statuses.status_rank
    group by path_statuses.study_key, path_statuses.number_in_study
),

rows_of_study as (
    select
        numbered.study_key,
        least(numbered.number_in_study, {{ shown + 1 }}) as place,
        max(numbered.number_in_study) - min(numbered.number_in_study) + 1 as variants,
        count(*) as participants,
        count(case when not coalesce(stages.is_terminal, false) then 1 end) as without_end,
        count(paths.started_at) as timed,
        max(numbered.participants_of_study) as participants_of_study,
        max(case when numbered.number_in_study <= {{ shown }} then numbered.stage_order end) as stage_order,
        {{ percentile(hours_between('paths.started_at', 'paths.arrived_at'), 0.5, [0.5, 0.9]) }} as median_hours,
        {{ percentile(hours_between('paths.started_at', 'paths.arrived_at'), 0.9, [0.5, 0.9]) }} as p90_hours,
        {{ percentile(
            'case when not coalesce(stages.is_terminal, false) then ' ~ hours_between('paths.arrived_at', as_of()) ~ ' end', 0.5
        ) }} as median_hours_since
    from paths
    inner join numbered
        on paths.study_key = numbered.study_key and paths.ranks = numbered.ranks
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
