{{ config(materialized='incremental') }}

{{ visits('status_rank', 'status') }}
