{{ config(materialized='incremental') }}

{{ visits('status_rank', 'status', with_days=false) }}
