{#- Types. YAML uses DuckDB's names: varchar, timestamptz, hugeint, blob. -#}

{#- The engine's name of a type in YAML. -#}
{% macro engine_type(type) -%}{{ return(adapter.dispatch('engine_type')(type)) }}{%- endmacro %}
{% macro duckdb__engine_type(type) -%}{{ return(type) }}{%- endmacro %}
{% macro spark__engine_type(type) -%}
    {%- set types = {
        'varchar': 'string', 'timestamptz': 'timestamp', 'ubigint': 'bigint', 'hugeint': 'decimal(38, 0)', 'blob': 'binary',
    } -%}
    {{ return(types.get(type, type)) }}
{%- endmacro %}

{#- The engine's type of each column in YAML, by name. -#}
{% macro types_of_columns(columns) %}
    {%- set types = {} -%}
    {%- for column in columns.values() -%}{%- do types.update({column.name: engine_type(column.data_type)}) -%}{%- endfor -%}
    {{ return(types) }}
{% endmacro %}

{#- dbt calls this to compare the columns of a query with a contract. Macros of studyflow are called by their full names
    here, because dbt would not find them for models of a workspace. -#}
{% macro spark__get_empty_schema_sql(columns) -%}
    select
    {%- for column in columns.values() %}
        cast(null as {{ studyflow.spark__engine_type(column.data_type) }}) as {{ adapter.quote(column.name) }}{{ "," if not loop.last }}
    {%- endfor %}
    where false
{%- endmacro %}
