with

hours as (
    select * from {{ ref('int_feed_hours') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

weeks as (
    select
        study_key,
        week,
        sum(changes) as changes,
        sum(broken_links + missing_beginnings) as gaps,
        sum(links) as links,
        sum(broken_links) as broken_links
    from hours
    group by study_key, week
)

select
    studies.study_id,
    weeks.week,
    cast(weeks.changes as integer) as changes,
    cast(weeks.gaps as integer) as gaps,
    cast(weeks.links as integer) as links,
    cast(weeks.broken_links as integer) as broken_links,
    {{ ratio('weeks.broken_links', 'weeks.links') }} as loss_rate,
    {{ lost_changes('weeks.changes', 'weeks.broken_links', 'weeks.links') }} as lost
from weeks
inner join studies
    on weeks.study_key = studies.study_key
