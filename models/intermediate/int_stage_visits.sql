{{ config(materialized='incremental') }}

{{ visits('stage') }}
