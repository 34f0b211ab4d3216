{#- The query behind stg_deliveries, of raw deliveries or of a part of them. -#}
{% macro accepted_deliveries(deliveries) -%}
with

deliveries as (
    select * from {{ deliveries }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

accepted as (
    select
        deliveries.file_id,
        deliveries.line_number,
        deliveries.load_id,

        deliveries.participant_id,
        deliveries.person_id,
        deliveries.study_id,
        deliveries.status,
        deliveries.prior_status,
        deliveries.updated_at as occurred_at
    from deliveries
    inner join statuses
        on deliveries.status = statuses.status
    left join statuses as prior_statuses
        on deliveries.prior_status = prior_statuses.status
    where
        deliveries.reason is null
        and (deliveries.prior_status is null or prior_statuses.status is not null)
)

select * from accepted
{%- endmacro %}

{#- Where a build puts rows into the tables of the last one: the accepted deliveries of the touched participants. -#}
{% macro keep_touched_deliveries() %}
    {%- set touched = of_touched_participants(source('raw', 'deliveries')) -%}
    {%- if builds_on_the_last() %}
    create table {{ delta_of(this) }} as
    {{ accepted_deliveries(touched) }}
    {%- endif %}
{% endmacro %}
