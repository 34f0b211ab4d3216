{{ config(materialized='incremental') }}

with

visits as (
    {{ visits('stage_order', 'stage') }}
)

select
    *,
    {{ report_date('started_at') }} as started_on,
    {{ report_date('ended_at') }} as ended_on
from visits
