{{ config(materialized='incremental') }}

{{ visits('status') }}
