{#- What a build does before its models: it decides whether it can build on the tables of the last one, and from then
    on, until it ends completely, nobody can build on them. A build that was killed, that failed or that only made some
    models is therefore followed by one that makes everything anew. -#}

{% macro begin_build() %}
    {% if execute and flags.WHICH in ['build', 'run', 'seed'] %}
create schema if not exists state;
create table if not exists state.this_build ({{ build_columns() }});
create table if not exists state.last_build ({{ build_columns() }});

insert into state.this_build
select
    coalesce((select max(build_id) from state.this_build), 0) + 1 as build_id,
    last_build.build_id as previous_build_id,
    {{ as_of() }} as as_of,
    last_build.as_of as previous_as_of,
    (select coalesce(max(load_id), 0) from raw.loads) as load_id,
    last_build.load_id as previous_load_id,
    {{ fingerprint_of_project() if flags.WHICH == 'build' else 'null' }} as fingerprint
from (select 1) as build
left join state.last_build
    on
        {{ makes_everything_that_is_there() }}
        and last_build.as_of <= {{ as_of() }}
        and last_build.fingerprint = {{ fingerprint_of_project() }};

delete from state.this_build
where build_id < (select max(build_id) from state.this_build);

delete from state.last_build;
drop schema if exists delta cascade;
create schema delta;
    {% endif %}
{% endmacro %}

{#- One row: what is built, and what it builds on. previous_…: null where everything is made anew. -#}
{% macro build_columns() -%}
    build_id integer,
    previous_build_id integer,
    as_of {{ instant_type() }},
    previous_as_of {{ instant_type() }},
    load_id integer,
    previous_load_id integer,
    fingerprint {{ dbt.type_string() }}
{%- endmacro %}

{#- Whether `dbt build` was asked for every model, and every table that it would put rows into is there. -#}
{% macro makes_everything_that_is_there() %}
    {%- if flags.WHICH != 'build' or flags.FULL_REFRESH -%}{{ return(false) }}{%- endif -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.enabled -%}
        {%- if node.unique_id not in selected_resources -%}{{ return(false) }}{%- endif -%}
        {%- if not adapter.get_relation(node.database, node.schema, node.alias) -%}{{ return(false) }}{%- endif -%}
    {%- endfor -%}
    {{ return(true) }}
{% endmacro %}

{#- What a build does in the end: if every model was made, the next build can build on this one. -#}
{% macro end_build(results) %}
    {% if execute and flags.WHICH == 'build' %}
        {% set made = [] %}
        {% for result in results if result.status == 'success' %}{% do made.append(result.node.unique_id) %}{% endfor %}
        {% for node in graph.nodes.values() if node.resource_type == 'model' and node.config.enabled %}
            {% if node.unique_id not in made %}{{ return('') }}{% endif %}
        {% endfor %}
insert into state.last_build
select * from state.this_build;
    {% endif %}
{% endmacro %}
