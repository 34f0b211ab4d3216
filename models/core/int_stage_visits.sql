{{ config(materialized='incremental') }}

{{ visits('stage_order', 'stage', with_days=true) }}
