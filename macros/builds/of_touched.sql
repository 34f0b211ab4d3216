{#- Which rows a model works on.

    A model that is `materialized: incremental` keeps its table and replaces in it the rows of the keys that are touched:
    the participants of whom something arrived since the last build, their studies, their people. It reads what it is
    made of through one of these macros. When everything is made anew they give the whole relation. Else they give the
    rows of touched keys; if the relation is kept by the same key, those that this build has just put there. -#}

{% macro of_touched_participants(relation) -%}
    {{ return(of_touched(relation, 'participant_id', 'int_touched_participants')) }}
{%- endmacro %}

{% macro of_touched_studies(relation) -%}
    {{ return(of_touched(relation, 'study_id', 'int_touched_studies')) }}
{%- endmacro %}

{% macro of_touched_people(relation) -%}
    {{ return(of_touched(relation, 'person_id', 'int_touched_people')) }}
{%- endmacro %}

{% macro of_touched(relation, key, touched) %}
    {%- if not execute -%}{%- do ref(touched) -%}{%- endif -%}
    {%- if not builds_on_the_last() -%}{{ return(relation) }}{%- endif -%}
    {%- set kept = namespace(key=none) -%}
    {%- for node in graph.nodes.values() if node.alias == relation.identifier and node.schema == relation.schema -%}
        {%- set kept.key = node.config.get('unique_key') -%}
    {%- endfor -%}
    {%- if kept.key == key -%}{{ return(delta_of(relation)) }}{%- endif -%}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ key ~ ' in (select ' ~ key ~ ' from ' ~ ref(touched) ~ '))') }}
{% endmacro %}

{#- Whether this build puts rows into the tables of the last one. Never in unit tests or when SQL is only compiled. -#}
{% macro builds_on_the_last() %}
    {%- if not execute or flags.WHICH != 'build' or model.resource_type != 'model' -%}{{ return(false) }}{%- endif -%}
    {{ return(previous_build() is not none) }}
{% endmacro %}

{#- The row of `state.this_build` if this build builds on another, else none. -#}
{% macro previous_build() %}
    {%- set query -%}
        select previous_load_id, cast(previous_as_of as {{ dbt.type_string() }}) as previous_as_of
        from state.this_build
        where previous_build_id is not null
    {%- endset -%}
    {%- set rows = run_query(query).rows -%}
    {{ return(rows[0] if rows | length else none) }}
{% endmacro %}

{#- Where the rows are that this build put into a table in place of those of the touched keys. -#}
{% macro delta_of(relation) -%}
    {{ return(api.Relation.create(relation.database, 'delta', relation.identifier, type='table')) }}
{%- endmacro %}

{#- All lengths of the windows of days in which something of a person is counted. -#}
{% macro days_of_windows() %}
    {%- set found = [30, 90, 365, var('invitation_cooldown_days'), var('participation_cooldown_days')] -%}
    {%- do found.extend(run_query('select distinct within_days from ' ~ ref('stg_governance_rules')).columns[0].values()) -%}
    {{ return(found | map('int') | unique | sort) }}
{% endmacro %}
