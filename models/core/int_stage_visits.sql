{{ config(materialized='incremental') }}

{{ visits('stage_order') }}
