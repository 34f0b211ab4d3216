with

hours as (
    select * from {{ ref('int_feed_hours') }}
),

participants as (
    select
        study_key,
        missing_changes
    from {{ ref('int_participants') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

feeds as (
    select
        study_key,
        min(first_change_at) as feed_began_at,
        max(last_change_at) as last_change_at,
        sum(changes) as changes,
        sum(histories) as participants,
        sum(missing_beginnings) as missing_beginnings,
        sum(broken_links + missing_beginnings) as gaps,
        sum(links) as links,
        sum(broken_links) as broken_links
    from hours
    group by study_key
),

whole_histories as (
    select
        study_key,
        count(*) as participants
    from participants
    where missing_changes = 0
    group by study_key
),

feeds_with_rates as (
    select
        studies.study_id,
        feeds.*,
        coalesce(whole_histories.participants, 0) as participants_whole,
        feeds.participants - feeds.missing_beginnings as first_changes,
        {{ share_bound('low', 'feeds.broken_links', 'feeds.links') }} as loss_rate_low,
        {{ share_bound('high', 'feeds.broken_links', 'feeds.links') }} as loss_rate_high
    from feeds
    inner join studies
        on feeds.study_key = studies.study_key
    left join whole_histories
        on feeds.study_key = whole_histories.study_key
),

-- First changes are lost as often as others. If more of them are missing, the rest are older than the feed.
feeds_with_older_histories as (
    select
        *,
        case
            when links = 0 then missing_beginnings
            when missing_beginnings > first_changes * loss_rate_high / nullif(1 - loss_rate_high, 0)
                then missing_beginnings - {{ lost_changes('first_changes', 'broken_links', 'links') }}
            else 0
        end as older_than_feed
    from feeds_with_rates
)

select
    study_id,
    feed_began_at,
    last_change_at,

    cast(participants as integer) as participants,
    cast(participants_whole as integer) as participants_whole,
    {{ ratio('participants_whole', 'participants') }} as share_whole,
    cast(missing_beginnings as integer) as missing_beginnings,
    cast(floor(older_than_feed + 0.5) as integer) as older_than_feed,

    cast(changes as integer) as changes,
    cast(gaps as integer) as gaps,
    cast(links as integer) as links,
    cast(broken_links as integer) as broken_links,

    {{ ratio('broken_links', 'links') }} as loss_rate,
    loss_rate_low,
    loss_rate_high,
    {{ lost_changes('changes', 'broken_links', 'links') }} as lost,
    changes * loss_rate_low / (1 - loss_rate_low) as lost_low,
    changes * loss_rate_high / nullif(1 - loss_rate_high, 0) as lost_high
from feeds_with_older_histories
