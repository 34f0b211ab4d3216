{#- Reference files and vars are read and checked once, at the start of a command (pipelines/reference.py). Everything
    that dbt builds uses the rows that were checked then. -#}

{% macro read_reference_files() %}
    {% if execute and flags.WHICH in ['build', 'run', 'seed', 'test'] %}
        {% do refuse_default_seeds() %}
        {% set given_vars = {'as_of': env_var('STUDYFLOW_AS_OF', '')} %}
        {% do given_vars.update(invocation_args_dict.get('vars') or {}) %}
        {% do run_query(read_files(setting('studies_file'), setting('people_file'), given_vars)) %}
        {% do make_missing_seeds() %}
        {% if flags.WHICH in ['build', 'run'] %}
            {% for source in graph.sources.values() if source.package_name == 'studyflow' and source.name in ['studies_file', 'people_file'] %}
                {% do run_query(replace_with(source.schema ~ '.' ~ source.name, rows_of_optional_file(source))) %}
            {% endfor %}
        {% endif %}
    {% endif %}
{% endmacro %}

{#- Stops if studyflow is a package of a project that lacks macros/studyflow.sql. Without it, dbt would load the
    reference tables from the package instead of the project's files. -#}
{% macro refuse_default_seeds() %}
    {% if project_name != 'studyflow' and materialization_of_seeds() not in (context.get(project_name) or {}) %}
        {% do exceptions.raise_compiler_error(
            'macros/studyflow.sql is missing in the project ' ~ project_name ~ ', or is from an earlier version. '
            ~ 'Without it, dbt ignores the reference tables of the project. '
            ~ 'Create a workspace with studyflow init, and copy the file from there.'
        ) %}
    {% endif %}
{% endmacro %}

{#- The rows of studies.csv or people.csv, without people who were forgotten. -#}
{% macro rows_of_optional_file(source) %}
    {%- set file_rows = rows_of_file(source.name | replace('_file', ''), types_of_columns(source.columns)) -%}
    {%- if source.name != 'people_file' -%}{{ return(file_rows) }}{%- endif -%}
    select file_rows.*
    from ({{ file_rows }}) as file_rows
    cross join (select max(salt) as salt from {{ source.schema }}.forgotten) as salts
    where
        {{ sha256('salts.salt || file_rows.person_id') }} not in (
            select id_hash from {{ source.schema }}.forgotten where kind = 'person'
        )
{% endmacro %}

{#- Creates missing seeds at the start of a run, because `dbt run` must work on an empty warehouse, before any `dbt
    seed`. They are added to dbt's cache, so that `dbt build` can replace them. -#}
{% macro make_missing_seeds() %}
    {% for seed in graph.nodes.values() if seed.resource_type == 'seed' and seed.package_name == 'studyflow' and seed.config.enabled %}
        {% if seed.config.column_types and not adapter.get_relation(seed.database, seed.schema, seed.alias) %}
            {% set made = api.Relation.create(seed.database, seed.schema, seed.alias, type='table') %}
            {% do run_query('create schema if not exists ' ~ seed.schema) %}
            {% do run_query(new_table(made, rows_of_file(seed.name, seed.config.column_types))) %}
            {% do adapter.cache_added(made) %}
        {% endif %}
    {% endfor %}
{% endmacro %}
