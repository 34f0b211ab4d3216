with

hours as (
    select * from {{ ref('int_feed_hours') }}
),

weeks as (
    select
        study_id,
        week,
        sum(changes) as changes,
        sum(broken_links + missing_beginnings) as gaps,
        sum(links) as links,
        sum(broken_links) as broken_links
    from hours
    group by study_id, week
)

select
    study_id,
    week,
    cast(changes as integer) as changes,
    cast(gaps as integer) as gaps,
    cast(links as integer) as links,
    cast(broken_links as integer) as broken_links,
    {{ ratio('broken_links', 'links') }} as loss_rate,
    {{ lost_changes('changes', 'broken_links', 'links') }} as lost
from weeks
