{#- A view, which a build cannot keep by key. But what it gives for the touched participants is read more than once. -#}
{{ config(materialized='view', unique_key='participant_id', post_hook='{{ keep_touched_deliveries() }}') }}

{{ accepted_deliveries(source('raw', 'deliveries')) }}
