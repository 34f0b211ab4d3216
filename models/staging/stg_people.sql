with

file_rows as (
    select * from {{ source('raw', 'people_file') }}
)

select
    person_id,
    person_name,
    contact_status
from file_rows
