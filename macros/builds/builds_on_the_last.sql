{#- A model that is `materialized: incremental` keeps its table, and replaces in it all rows of the participants who are
    touched: those with new deliveries since the last build (stg_touched_participants). With the strategy `by_person` these are
    the people who are touched (int_touched_people). A model reads what it is made of through touched_rows_of(). When everything
    is made anew, that is the whole relation. -#}

{#- Whether this build replaces rows in the tables of the last one: begin_build() decided. Never in unit tests or when SQL
    is only compiled. Once a delivery was taken back, nobody can tell whose participant it made theirs, so that tables with
    rows per person are made anew. -#}
{% macro builds_on_the_last() %}
    {%- set before = previous_build() -%}
    {%- if flags.WHICH != 'build' or model.resource_type != 'model' or before is none -%}{{ return(false) }}{%- endif -%}
    {{ return(not (is_by_person() and before.takes_back)) }}
{% endmacro %}

{#- Whether the rows that the model replaces are those of people. -#}
{% macro is_by_person() %}{{ return(model.config.incremental_strategy == 'by_person') }}{% endmacro %}

{#- Load and as-of of the build that this one builds on, and whether deliveries were taken back since; else none. dbt's graph
    is one object for the whole run. -#}
{% macro previous_build() %}{{ return(graph.get('previous_build') if execute else none) }}{% endmacro %}

{#- The relation, or its rows of touched participants or people. `touched`: ref('stg_touched_participants') or
    ref('int_touched_people'). -#}
{% macro touched_rows_of(relation, touched) %}
    {%- if not builds_on_the_last() -%}{{ return(relation) }}{%- endif -%}
    {%- set key = 'person_key' if is_by_person() else 'participant_key' -%}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ key ~ ' in (select ' ~ key ~ ' from ' ~ touched ~ '))') }}
{% endmacro %}

{#- dbt asks this of every incremental model and of every seed. -#}
{% macro should_full_refresh() %}
    {%- if config.get('materialized') == 'incremental' -%}{{ return(not builds_on_the_last()) }}{%- endif -%}
    {{ return(dbt.should_full_refresh()) }}
{% endmacro %}

{#- How dbt replaces rows. Participants and people who are touched and have no rows now lose those that they had. -#}
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

{#- What a table of participants with their study_type does in the end: rows of participants who are not touched get the type
    that their study has now. It is inferred from what any participant of the study does. -#}
{% macro put_study_types_in_place() %}
    {%- if builds_on_the_last() %}
update {{ this }} as kept
set study_type = studies.study_type
from {{ ref('int_studies') }} as studies
where kept.study_id = studies.study_id and kept.study_type <> studies.study_type
    {%- endif %}
{% endmacro %}
