{#- Access to reference files. Engines never parse them. pipelines/reference.py reads and checks them, and passes the
    rows to the engine: to DuckDB while dbt runs (pipelines/dbt_plugin.py), to Spark before dbt starts
    (pipelines/spark/raw.py). -#}

{#- A query that reads and checks all reference files and vars. It fails if one has a problem, and must run before
    rows_of_file(). -#}
{% macro read_files(studies, people, vars) -%}
    {{ return(adapter.dispatch('read_files')(studies, people, vars)) }}
{%- endmacro %}
{% macro duckdb__read_files(studies, people, vars) -%}
    select read_reference_files({{ text_literal(studies) }}, {{ text_literal(people) }}, {{ text_literal(tojson(vars)) }})
{%- endmacro %}
{% macro spark__read_files(studies, people, vars) -%}
    select assert_true(
        count(*) > 0,
        'The reference files have not been copied for Spark. Copy them first: python -m pipelines.spark'
    )
    from raw.file_rows
{%- endmacro %}

{#- A query for the rows of a reference file, with typed columns. -#}
{% macro rows_of_file(name, column_types) -%}
    {{ return(adapter.dispatch('rows_of_file')(name, column_types)) }}
{%- endmacro %}
{% macro duckdb__rows_of_file(name, column_types) -%}
    select
    {%- for column, type in column_types.items() %}
        cast(cells[{{ loop.index }}] as {{ type }}) as {{ column }}{{ "," if not loop.last }}
    {%- endfor %}
    from (
        select unnest(reference_rows({{ text_literal(name) }}, {{ text_list(column_types.keys()) }})) as cells
    ) as file_rows
{%- endmacro %}
{% macro spark__rows_of_file(name, column_types) -%}
    select
    {%- for column, type in column_types.items() %}
        cast(cells['{{ column }}'] as {{ engine_type(type) }}) as {{ column }}{{ "," if not loop.last }}
    {%- endfor %}
    from raw.file_rows
    where file_name = '{{ name }}'
{%- endmacro %}

{#- A query for a hash of the files that match the patterns, of other files, and of values. -#}
{% macro fingerprint(patterns, files, values) -%}
    select fingerprint_of({{ text_list(patterns) }}, {{ text_list(files) }}, {{ text_list(values) }})
{%- endmacro %}

{% macro text_literal(text) -%}'{{ text | replace("'", "''") }}'{%- endmacro %}

{% macro text_list(texts) -%}
    [{% for text in texts %}{{ text_literal(text) }}{{ ", " if not loop.last }}{% endfor %}]
{%- endmacro %}
