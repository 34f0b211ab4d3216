with

described as (
    {{ optional_csv_file(
        reference_file('people'),
        {
            'person_id': dbt.type_string(),
            'person_name': dbt.type_string(),
            'contact_status': dbt.type_string(),
        }
    ) }}
),

contact_statuses as (
    select * from {{ ref('contact_statuses') }}
),

forgotten_people as (
    select
        salt,
        id_hash
    from {{ source('raw', 'forgotten') }}
    where kind = 'person'
),

salts as (
    select max(salt) as salt
    from forgotten_people
)

select
    described.person_id,
    described.person_name,
    contact_statuses.contact_status
from described
cross join salts
left join contact_statuses
    on lower(described.contact_status) = lower(contact_statuses.contact_status)
where
    described.person_id is not null
    and {{ sha256('salts.salt || described.person_id') }} not in (select forgotten_people.id_hash from forgotten_people)
-- A person who is listed twice is one person; what forbids more holds.
qualify row_number() over (
    partition by described.person_id
    order by contact_statuses.contact_status_order nulls last, described.person_name nulls last
) = 1
