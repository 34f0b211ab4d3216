{#- Types. YAML says them as DuckDB does: varchar, timestamptz, hugeint, blob. -#}

{#- A type of YAML as the engine writes it. -#}
{% macro engine_type(type) -%}{{ return(adapter.dispatch('engine_type')(type)) }}{%- endmacro %}
{% macro duckdb__engine_type(type) -%}{{ return(type) }}{%- endmacro %}
{% macro spark__engine_type(type) -%}
    {%- set types = {
        'varchar': 'string', 'timestamptz': 'timestamp', 'ubigint': 'bigint', 'hugeint': 'decimal(38, 0)', 'blob': 'binary',
    } -%}
    {{ return(types.get(type, type)) }}
{%- endmacro %}

{#- The type of each column that YAML describes, as the engine writes it. -#}
{% macro types_of_columns(columns) %}
    {%- set types = {} -%}
    {%- for column in columns.values() -%}{%- do types.update({column.name: engine_type(column.data_type)}) -%}{%- endfor -%}
    {{ return(types) }}
{% endmacro %}

{#- dbt asks for this, to compare the columns of a query with those of a contract. For a model of a workspace, it finds macros
    of studyflow only by their full names. -#}
{% macro spark__get_empty_schema_sql(columns) -%}
    select
    {%- for column in columns.values() %}
        cast(null as {{ studyflow.spark__engine_type(column.data_type) }}) as {{ adapter.quote(column.name) }}{{ "," if not loop.last }}
    {%- endfor %}
    where false
{%- endmacro %}
