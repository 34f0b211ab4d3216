with

people_file as (
    select * from {{ source('raw', 'people_file') }}
)

select
    person_id,
    person_name,
    {{ lower_case('email') }} as email,
    contact_status
from people_file
