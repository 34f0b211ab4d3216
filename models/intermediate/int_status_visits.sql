{{ config(materialized='incremental', unique_key='participant_id') }}

{{ visits('status') }}
