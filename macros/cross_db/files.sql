{#- Small CSV files read where they lie. -#}

{#- All rows of a file as text. The dialect is said, not guessed, and cells missing at the end of a row are null. -#}
{% macro csv_rows(path) -%}{{ return(adapter.dispatch('csv_rows')(path)) }}{%- endmacro %}
{% macro duckdb__csv_rows(path) -%}
    read_csv(
        '{{ path | replace("'", "''") }}', header = true, skip = 0, delim = ',', quote = '"', escape = '"',
        all_varchar = true, null_padding = true, parallel = false
    )
{%- endmacro %}

{#- All rows of a file, its columns typed. -#}
{% macro read_csv_file(path, column_types) -%}
    {{ return(adapter.dispatch('read_csv_file')(path, column_types)) }}
{%- endmacro %}
{% macro duckdb__read_csv_file(path, column_types) -%}
    select
    {%- for column, type in column_types.items() %}
        try_cast({{ column }} as {{ type }}) as {{ column }}{{ "," if not loop.last }}
    {%- endfor %}
    from {{ csv_rows(path) }}
{%- endmacro %}

{% macro there_is_a_file(path) -%}{{ return(adapter.dispatch('there_is_a_file')(path)) }}{%- endmacro %}
{% macro duckdb__there_is_a_file(path) -%}
    {{ return(run_query("select file from glob('" ~ path | replace("'", "''") ~ "')").rows | length > 0) }}
{%- endmacro %}

{#- The columns that an optional file has; none when it is not there. -#}
{% macro columns_of_csv_file(path) -%}
    {{ return(adapter.dispatch('columns_of_csv_file')(path)) }}
{%- endmacro %}
{% macro duckdb__columns_of_csv_file(path) -%}
    {%- if not execute or not there_is_a_file(path) -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set header -%}
        select lower(column_name) as column_name
        from (describe select * from {{ csv_rows(path) }})
    {%- endset -%}
    {{ return(run_query(header).columns[0].values() | list) }}
{%- endmacro %}

{#- An optional file as a table that always has the columns of `column_types`: null where the file lacks them or
    says nothing, no rows where there is no file. -#}
{% macro optional_csv_file(path, column_types) -%}
    {%- set present = columns_of_csv_file(path) -%}
    {%- if present -%}
        select
        {%- for column, type in column_types.items() %}
            {{ "try_cast(nullif(trim(" ~ column ~ "), '') as " ~ type ~ ")" if column in present
                else "cast(null as " ~ type ~ ")" }} as {{ column }}{{ "," if not loop.last }}
        {%- endfor %}
        from {{ csv_rows(path) }}
    {%- else -%}
        select
        {%- for column, type in column_types.items() %}
            cast(null as {{ type }}) as {{ column }}{{ "," if not loop.last }}
        {%- endfor %}
        where 1 = 0
    {%- endif -%}
{%- endmacro %}
