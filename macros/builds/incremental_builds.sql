{#- Incremental builds. A model with `materialized: incremental` keeps its table and replaces all rows of touched
    participants, i.e. those with new deliveries since the last build (stg_touched_participants). With the strategy
    `by_person`, it replaces the rows of touched people (int_touched_people). Models read their sources through
    touched_rows_of(), which in a full build is the whole relation. -#}

{#- Whether this build replaces rows in the tables of the last build, as begin_build() decided. False in unit tests and
    when SQL is only compiled. After a delivery was withdrawn, it is unknown which person it had assigned the
    participant to, so tables with rows per person are rebuilt in full. -#}
{% macro is_incremental_build() %}
    {%- set before = previous_build() -%}
    {%- if flags.WHICH != 'build' or model.resource_type != 'model' or before is none -%}{{ return(false) }}{%- endif -%}
    {{ return(not (is_by_person() and before.has_withdrawals)) }}
{% endmacro %}

{#- Whether the model replaces the rows of people instead of participants. -#}
{% macro is_by_person() %}{{ return(model.config.incremental_strategy == 'by_person') }}{% endmacro %}

{#- The build whose tables this one reuses: build_id, load_id, as_of, and has_withdrawals (whether deliveries were
    withdrawn since); none in a full build. It is kept in dbt's `graph`, which is one object for the whole run. -#}
{% macro previous_build() %}{{ return(graph.get('previous_build') if execute else none) }}{% endmacro %}

{#- The relation, reduced to the rows of touched participants or people in an incremental build. `touched`:
    ref('stg_touched_participants') or ref('int_touched_people'). -#}
{% macro touched_rows_of(relation, touched) %}
    {%- if not is_incremental_build() -%}{{ return(relation) }}{%- endif -%}
    {%- set key = 'person_key' if is_by_person() else 'participant_key' -%}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ key ~ ' in (select ' ~ key ~ ' from ' ~ touched ~ '))') }}
{% endmacro %}

{#- dbt calls this for every incremental model and every seed. -#}
{% macro should_full_refresh() %}
    {%- if config.get('materialized') == 'incremental' -%}{{ return(not is_incremental_build()) }}{%- endif -%}
    {{ return(dbt.should_full_refresh()) }}
{% endmacro %}

{#- The incremental strategies. All old rows of touched participants or people are deleted, even if they have no new
    rows. -#}
{% macro get_incremental_by_participant_sql(arguments) %}
    {{ return(replace_rows(arguments, 'participant', ref('stg_touched_participants'))) }}
{% endmacro %}

{% macro get_incremental_by_person_sql(arguments) %}
    {{ return(replace_rows(arguments, 'person', ref('int_touched_people'))) }}
{% endmacro %}

{% macro replace_rows(arguments, owner, touched) %}
    {%- set columns = arguments.dest_columns | map(attribute='quoted') | join(', ') -%}
    {%- set names = arguments.dest_columns | map(attribute='name') | list -%}
    {%- set key = owner ~ '_key' if owner ~ '_key' in names else owner ~ '_id' -%}
    delete from {{ arguments.target_relation }}
    where {{ key }} in (select {{ key }} from {{ touched }});

    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{% endmacro %}

{#- A post-hook of tables with a row per participant and their study_type: updates the type in rows of untouched
    participants. The type can change for all of them, because it is inferred from all participants of the study. -#}
{% macro update_study_types() %}
    {%- if is_incremental_build() %}
update {{ this }} as kept
set study_type = studies.study_type
from {{ ref('int_studies') }} as studies
where kept.study_id = studies.study_id and kept.study_type <> studies.study_type
    {%- endif %}
{% endmacro %}
