with

changes as (
    select
        study_key,
        cast({{ dbt.date_trunc('week', 'occurred_on') }} as date) as week,
        {{ whole_hour('occurred_at') }} as hour,
        occurred_at,
        position,
        follows_gap,
        can_show_loss
    from {{ ref('int_status_changes') }}
    where not is_inferred
)

select
    study_key,
    week,
    hour,

    min(occurred_at) as first_change_at,
    max(occurred_at) as last_change_at,
    count(*) as changes,

    count(case when position = 1 then 1 end) as histories,
    count(case when position = 1 and follows_gap then 1 end) as missing_beginnings,
    count(case when can_show_loss then 1 end) as links,
    count(case when position > 1 and follows_gap then 1 end) as broken_links
from changes
group by study_key, week, hour
