{#- What a build does before its models: it decides whether it can build on the tables of the last one, and from then
    on, until it ends completely, nobody can build on them. A build that was killed, that failed or that only made some
    models is therefore followed by one that makes everything anew. -#}

{% macro duckdb__begin_build() %}
    {%- if execute and flags.WHICH in ['build', 'run', 'seed'] -%}
        {%- do run_query(state_tables()) -%}
        {%- set found = run_query(build_to_build_on()).rows if is_full_selection() else [] -%}
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

{#- One row each: what is built, and what it builds on. previous_…: null where everything is made anew. -#}
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

{#- The last build, if this one can build on it and that pays: finding and replacing rows costs more than making few. -#}
{% macro build_to_build_on() %}
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
        exists (select 1 from raw.withdrawals where withdrawals.load_id > last_build.load_id) as takes_back
    from state.last_build
    cross join lines
    where
        last_build.as_of <= {{ as_of() }}
        and last_build.fingerprint = {{ fingerprint_of_project() }}
        and lines.loaded >= {{ var('incremental_from_lines') }}
        and lines.new <= lines.loaded * {{ var('incremental_up_to_share') }}
{% endmacro %}

{#- Whether `dbt build` was asked for every model, and every table that it would keep is there. -#}
{% macro is_full_selection() %}
    {%- if flags.WHICH != 'build' or flags.FULL_REFRESH -%}{{ return(false) }}{%- endif -%}
    {%- for node in models_of_studyflow() -%}
        {%- if node.unique_id not in selected_resources -%}{{ return(false) }}{%- endif -%}
        {%- if not adapter.get_relation(node.database, node.schema, node.alias) -%}{{ return(false) }}{%- endif -%}
    {%- endfor -%}
    {{ return(true) }}
{% endmacro %}

{#- Those of a project that has studyflow as a package are its own affair. -#}
{% macro models_of_studyflow() %}
    {{ return(
        graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | selectattr('package_name', 'equalto', 'studyflow')
        | selectattr('config.enabled') | list
    ) }}
{% endmacro %}

{#- What a build does in the end: if every model was made, the next build can build on this one. -#}
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
