with

people as (
    select
        *,
        {{ id_key('person_id') }} as person_key
    from {{ ref('people') }}
    where contact_status = 'Free to Contact'
),

limits as (
    select person_key
    from {{ ref('int_invitation_limits') }}
)

select
    cast(rank() over (order by is_active_in_study asc, last_contact_at asc nulls first) as integer) as place,
    person_id,
    is_active_in_study,
    last_contact_at,
    cast(floor({{ days_between('last_contact_at', as_of()) }}) as integer) as days_since_contact,
    contacts_90d,
    studies,
    studies_invited,
    response_rate,
    no_shows
from people
where person_key not in (select limits.person_key from limits)
