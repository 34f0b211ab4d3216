{#- Runs before the models of a build. It decides whether this build can reuse the tables of the last one, and then
    removes the record of the last build until this one is complete. After a build that was killed, failed or made only
    some models, the next build is therefore a full one. -#}

{% macro duckdb__begin_build() %}
    {%- if execute and flags.WHICH in ['build', 'run', 'seed'] -%}
        {%- do run_query(state_tables()) -%}
        {%- set found = run_query(reusable_build()).rows if is_full_selection() else [] -%}
        {%- set previous = found[0] if found | length else none -%}
        {%- do graph.update({'previous_build': previous}) -%}
insert into state.this_build
select
    coalesce(max(build_id), 0) + 1 as build_id,
    {{ previous.build_id if previous else 'null' }} as previous_build_id,
    {{ as_of() }} as as_of,
    {{ instant(previous.as_of) if previous else 'null' }} as previous_as_of,
    (select coalesce(max(load_id), 0) from raw.loads) as load_id,
    {{ previous.load_id if previous else 'null' }} as previous_load_id,
    {{ fingerprint_of_project() if flags.WHICH == 'build' else 'null' }} as fingerprint
from state.this_build;

delete from state.this_build
where build_id < (select max(build_id) from state.this_build);

delete from state.last_build;
    {%- endif -%}
{% endmacro %}

{#- The tables state.this_build and state.last_build, of one row each. The columns previous_… are null in a full
    build. -#}
{% macro state_tables() %}
    {%- set columns -%}
        build_id integer,
        previous_build_id integer,
        as_of {{ instant_type() }},
        previous_as_of {{ instant_type() }},
        load_id integer,
        previous_load_id integer,
        fingerprint {{ dbt.type_string() }}
    {%- endset -%}
create schema if not exists state;
create table if not exists state.this_build ({{ columns }});
create table if not exists state.last_build ({{ columns }});
{% endmacro %}

{#- The last build, if this build can reuse its tables and that is faster than a full build. In small warehouses it is
    slower. -#}
{% macro reusable_build() %}
    with

    lines as (
        select
            (select count(*) from raw.deliveries) as loaded,
            (select count(*) from raw.deliveries where load_id > (select max(load_id) from state.last_build)) as new
    )

    select
        last_build.build_id,
        last_build.load_id,
        cast(last_build.as_of as {{ dbt.type_string() }}) as as_of,
        exists (select 1 from raw.withdrawals where withdrawals.load_id > last_build.load_id) as has_withdrawals
    from state.last_build
    cross join lines
    where
        last_build.as_of <= {{ as_of() }}
        and last_build.fingerprint = {{ fingerprint_of_project() }}
        and lines.loaded >= {{ var('incremental_from_lines') }}
        and lines.new <= lines.loaded * {{ var('incremental_up_to_share') }}
{% endmacro %}

{#- Whether `dbt build` has all models selected, without --full-refresh, and all their tables exist. -#}
{% macro is_full_selection() %}
    {%- if flags.WHICH != 'build' or flags.FULL_REFRESH -%}{{ return(false) }}{%- endif -%}
    {%- for node in models_of_studyflow() -%}
        {%- if node.unique_id not in selected_resources -%}{{ return(false) }}{%- endif -%}
        {%- if not adapter.get_relation(node.database, node.schema, node.alias) -%}{{ return(false) }}{%- endif -%}
    {%- endfor -%}
    {{ return(true) }}
{% endmacro %}

{#- The models of studyflow, without those of a project that uses studyflow as a package. -#}
{% macro models_of_studyflow() %}
    {{ return(
        graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | selectattr('package_name', 'equalto', 'studyflow')
        | selectattr('config.enabled') | list
    ) }}
{% endmacro %}

{#- Runs after the models of a build. If all models succeeded, it records the build so that the next one can reuse
    it. -#}
{% macro duckdb__end_build(results) %}
    {% if execute and flags.WHICH == 'build' %}
        {% set made = [] %}
        {% for result in results if result.status == 'success' %}{% do made.append(result.node.unique_id) %}{% endfor %}
        {% for node in models_of_studyflow() %}
            {% if node.unique_id not in made %}{{ return('') }}{% endif %}
        {% endfor %}
insert into state.last_build
select * from state.this_build;
    {% endif %}
{% endmacro %}
