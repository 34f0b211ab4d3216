{#- How an incremental model is kept: of touched keys (see of_touched.sql) all rows are replaced, those that are no longer
    there go. When everything is made anew, so is its table. `unique_key` says by which column, though a key has many
    rows. What was put in stays in schema `delta` until the next build, for the models that follow and for the checks. -#}

{% macro get_incremental_by_key_sql(arguments) %}
    {%- set key = arguments.unique_key -%}
    {%- set touched = {
        'participant_id': 'int_touched_participants',
        'study_id': 'int_touched_studies',
        'person_id': 'int_touched_people',
    }[key] -%}
    {%- set target = arguments.target_relation -%}
    {%- set columns = arguments.dest_columns | map(attribute='quoted') | join(', ') -%}
    create table {{ delta_of(target) }} as
    select * from {{ arguments.temp_relation }};

    delete from {{ target }}
    where {{ key }} in (select {{ key }} from {{ api.Relation.create(target.database, 'intermediate', touched) }});

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{% endmacro %}

{#- dbt asks this of every incremental model and of every seed. -#}
{% macro should_full_refresh() %}
    {%- if config.get('materialized') == 'incremental' -%}{{ return(not builds_on_the_last()) }}{%- endif -%}
    {{ return(dbt.should_full_refresh()) }}
{% endmacro %}

{#- A table that is kept has its comments already. -#}
{% macro persist_docs(relation, model) %}
    {%- if model.config.materialized != 'incremental' or not builds_on_the_last() -%}
        {{ return(dbt.persist_docs(relation, model)) }}
    {%- endif -%}
{% endmacro %}
