{#- Every order of a knot is tried, one change longer at each level. Of the beginnings that have used the same changes
    and ended in the same status only the best can become the best whole, so only that goes on. -#}
{%- set beginnings_kept = 2000 %}
{%- set most_changes_then = 60 %}

with recursive

members as (
    select * from {{ ref('int_tied_changes') }}
    where changes_then <= {{ most_changes_then }}
),

beginnings as (
    select
        participant_id,
        knot,
        1 as moment,
        cast(0 as bigint) as used,
        status_before as last_status,
        0 as broken_links,
        cast('' as {{ dbt.type_string() }}) as ranks,
        cast('' as {{ dbt.type_string() }}) as path
    from members
    where moment = 1 and member = 1

    union all

    select
        extended.participant_id,
        extended.knot,
        extended.moment + extended.completes_moment as moment,
        case when extended.completes_moment = 1 then 0 else extended.used end as used,
        extended.last_status,
        extended.broken_links,
        extended.ranks,
        extended.path
    from (
        select
            beginnings.participant_id,
            beginnings.knot,
            beginnings.moment,
            beginnings.used + {{ two_to_the('members.member - 1') }} as used,
            case when bit_count(beginnings.used) + 1 = members.changes_then then 1 else 0 end as completes_moment,
            members.status as last_status,
            beginnings.broken_links
            + cast(members.prior_status is distinct from beginnings.last_status as integer) as broken_links,
            concat(beginnings.ranks, lpad(cast(members.status_rank as {{ dbt.type_string() }}), 4, '0')) as ranks,
            concat(beginnings.path, {{ tie_token('members.moment', 'members.member') }}) as path
        from beginnings
        inner join members
            on
                beginnings.participant_id = members.participant_id
                and beginnings.knot = members.knot
                and beginnings.moment = members.moment
                and (beginnings.used & {{ two_to_the('members.member - 1') }}) = 0
    ) as extended
    qualify
        row_number() over (
            partition by extended.participant_id, extended.knot, extended.used, extended.last_status
            order by extended.broken_links, extended.ranks, extended.path
        ) = 1
        and row_number() over (
            partition by extended.participant_id, extended.knot
            order by extended.broken_links, extended.ranks, extended.path
        ) <= {{ beginnings_kept }}
),

ends as (
    select
        participant_id,
        knot,
        moment as last_moment,
        is_followed,
        prior_status_after
    from members
    where member = 1
    qualify row_number() over (partition by participant_id, knot order by moment desc) = 1
),

best as (
    select
        beginnings.participant_id,
        beginnings.knot,
        beginnings.path
    from beginnings
    inner join ends
        on
            beginnings.participant_id = ends.participant_id
            and beginnings.knot = ends.knot
            and beginnings.moment = ends.last_moment + 1
    qualify row_number() over (
        partition by beginnings.participant_id, beginnings.knot
        order by
            beginnings.broken_links
            + cast(
                coalesce(ends.is_followed, false) and ends.prior_status_after is distinct from beginnings.last_status
                as integer
            ),
            beginnings.ranks,
            beginnings.path
    ) = 1
)

select
    members.participant_id,
    members.occurred_at,
    members.status,
    members.prior_status,
    members.person_id,
    members.study_id,
    coalesce(
        strpos(best.path, {{ tie_token('members.moment', 'members.member') }}),
        members.member
    ) as tie_position
from {{ ref('int_tied_changes') }} as members
left join best
    on
        members.participant_id = best.participant_id
        and members.knot = best.knot
