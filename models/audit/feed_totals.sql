with

coverage as (
    select * from {{ ref('feed_coverage') }}
),

sums as (
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

totals as (
    select
        *,
        {{ ratio('broken_links', 'links') }} as loss_rate,
        {{ share_bound('low', 'broken_links', 'links') }} as loss_rate_low,
        {{ share_bound('high', 'broken_links', 'links') }} as loss_rate_high
    from sums
),

-- Some study always has the highest rate by chance. It is named only if its lower bound exceeds the overall rate.
worst_study as (
    select
        coverage.study_id,
        coverage.loss_rate
    from coverage
    inner join totals
        on coverage.loss_rate_low > totals.loss_rate
    order by coverage.loss_rate desc, coverage.study_id asc
    limit 1
)

select
    totals.feed_began_at,
    totals.last_change_at,
    cast(totals.studies as integer) as studies,

    cast(totals.participants as integer) as participants,
    cast(totals.participants_whole as integer) as participants_whole,
    {{ ratio('totals.participants_whole', 'totals.participants') }} as share_whole,
    cast(totals.missing_beginnings as integer) as missing_beginnings,
    cast(totals.older_than_feed as integer) as older_than_feed,

    cast(totals.changes as integer) as changes,
    cast(totals.gaps as integer) as gaps,
    cast(totals.links as integer) as links,
    cast(totals.broken_links as integer) as broken_links,

    totals.loss_rate,
    totals.loss_rate_low,
    totals.loss_rate_high,
    {{ lost_changes('totals.changes', 'totals.broken_links', 'totals.links') }} as lost,
    totals.changes * totals.loss_rate_low / (1 - totals.loss_rate_low) as lost_low,
    totals.changes * totals.loss_rate_high / nullif(1 - totals.loss_rate_high, 0) as lost_high,

    worst_study.study_id as worst_study_id,
    worst_study.loss_rate as worst_loss_rate
from totals
left join worst_study
    on 1 = 1
