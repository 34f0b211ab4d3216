{{ config(materialized='incremental', unique_key='study_id') }}

{{ visit_durations(ref('int_stage_visits'), 'stage') }}
