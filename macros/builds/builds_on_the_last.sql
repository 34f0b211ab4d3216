{#- A model that is `materialized: incremental` keeps its table, and replaces in it all rows of the participants who are
    touched: those with new deliveries since the last build (stg_touched_participants). It reads what it is made of
    through touched_rows_of(). When everything is made anew, that is the whole relation. -#}

{#- Whether this build replaces rows in the tables of the last one: begin_build() decided. Never in unit tests or when SQL
    is only compiled. -#}
{% macro builds_on_the_last() %}
    {{ return(flags.WHICH == 'build' and model.resource_type == 'model' and previous_build() is not none) }}
{% endmacro %}

{#- Load and as-of of the build that this one builds on, else none. dbt's graph is one object for the whole run. -#}
{% macro previous_build() %}{{ return(graph.get('previous_build') if execute else none) }}{% endmacro %}

{#- The relation, or its rows of touched participants. `touched`: ref('stg_touched_participants'). -#}
{% macro touched_rows_of(relation, touched) %}
    {%- if not builds_on_the_last() -%}{{ return(relation) }}{%- endif -%}
    {{ return('(select * from ' ~ relation ~ ' where participant_key in (select participant_key from ' ~ touched ~ '))') }}
{% endmacro %}

{#- dbt asks this of every incremental model and of every seed. -#}
{% macro should_full_refresh() %}
    {%- if config.get('materialized') == 'incremental' -%}{{ return(not builds_on_the_last()) }}{%- endif -%}
    {{ return(dbt.should_full_refresh()) }}
{% endmacro %}

{#- How dbt replaces rows. Participants who are touched and have no rows now lose those that they had. -#}
{% macro get_incremental_by_participant_sql(arguments) %}
    {%- set columns = arguments.dest_columns | map(attribute='quoted') | join(', ') -%}
    {%- set names = arguments.dest_columns | map(attribute='name') | list -%}
    {%- set key = 'participant_key' if 'participant_key' in names else 'participant_id' -%}
    delete from {{ arguments.target_relation }}
    where {{ key }} in (select {{ key }} from {{ ref('stg_touched_participants') }});

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
