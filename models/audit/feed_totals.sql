with

coverage as (
    select * from {{ ref('feed_coverage') }}
),

summed as (
    select
        min(feed_began_at) as feed_began_at,
        max(last_change_at) as last_change_at,
        count(*) as studies,
        sum(participants) as participants,
        sum(participants_whole) as participants_whole,
        sum(missing_beginnings) as missing_beginnings,
        sum(older_than_feed) as older_than_feed,
        sum(changes) as changes,
        sum(gaps) as gaps,
        sum(links) as links,
        sum(broken_links) as broken_links
    from coverage
    having count(*) > 0
),

estimated as (
    select
        *,
        {{ ratio('broken_links', 'links') }} as loss_rate,
        {{ share_bound('low', 'broken_links', 'links') }} as loss_rate_low,
        {{ share_bound('high', 'broken_links', 'links') }} as loss_rate_high
    from summed
),

-- Chance makes some study the worst; this one loses more than the others for certain.
worst as (
    select
        coverage.study_id,
        coverage.loss_rate
    from coverage
    inner join estimated
        on coverage.loss_rate_low > estimated.loss_rate
    order by coverage.loss_rate desc, coverage.study_id asc
    limit 1
)

select
    estimated.feed_began_at,
    estimated.last_change_at,
    cast(estimated.studies as integer) as studies,

    cast(estimated.participants as integer) as participants,
    cast(estimated.participants_whole as integer) as participants_whole,
    {{ ratio('estimated.participants_whole', 'estimated.participants') }} as share_whole,
    cast(estimated.missing_beginnings as integer) as missing_beginnings,
    cast(estimated.older_than_feed as integer) as older_than_feed,

    cast(estimated.changes as integer) as changes,
    cast(estimated.gaps as integer) as gaps,
    cast(estimated.links as integer) as links,
    cast(estimated.broken_links as integer) as broken_links,

    estimated.loss_rate,
    estimated.loss_rate_low,
    estimated.loss_rate_high,
    {{ lost_changes('estimated.changes', 'estimated.broken_links', 'estimated.links') }} as lost,
    estimated.changes * estimated.loss_rate_low / (1 - estimated.loss_rate_low) as lost_low,
    estimated.changes * estimated.loss_rate_high / nullif(1 - estimated.loss_rate_high, 0) as lost_high,

    worst.study_id as worst_study_id,
    worst.loss_rate as worst_loss_rate
from estimated
left join worst
    on 1 = 1
