{#- `dbt run` alone must work on an empty warehouse, where `dbt seed` has not run yet: seeds that are not there
    are read from their files at the start of a run. dbt is told of them, so that `dbt build` can load them anew. -#}

{% macro missing_seeds() %}
    {% if execute and flags.WHICH in ['run', 'build', 'compile', 'test'] %}
        {% for seed in graph.nodes.values() if seed.resource_type == 'seed' and seed.config.enabled %}
            {% if not adapter.get_relation(seed.database, seed.schema, seed.alias) %}
                create schema if not exists {{ seed.schema }};
                create table {{ seed.schema }}.{{ seed.alias }} as
                {{ read_csv_file(seed.original_file_path, seed.config.column_types) }};
                {% set made = api.Relation.create(seed.database, seed.schema, seed.alias, type='table') %}
                {% do adapter.cache_added(made) %}
            {% endif %}
        {% endfor %}
    {% endif %}
{% endmacro %}
