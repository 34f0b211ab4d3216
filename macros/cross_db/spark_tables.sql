{#- On Spark, each table is a folder of Parquet files with the table's name, in the folder of its schema. dbt calls
    these macros by name. -#}

{% macro spark__file_format_clause() -%}using parquet{%- endmacro %}

{#- The location of the files. Files of an earlier build are replaced. -#}
{% macro spark__location_clause() -%}location '{{ model.alias }}'{%- endmacro %}

{#- Parquet files have no constraints. dbt has already compared the query with the columns of the contract, and data
    tests check for nulls. -#}
{% macro spark__persist_constraints(relation, model) -%}{%- endmacro %}

{#- Every build is a full build, because rows in Parquet files cannot be replaced. -#}
{% materialization incremental, adapter='spark' %}
    {{ return(materialization_table_spark()) }}
{% endmaterialization %}

{#- Views become tables, because a view would not exist for readers of the files. -#}
{% materialization view, adapter='spark' %}
    {{ return(materialization_table_spark()) }}
{% endmaterialization %}

{#- Seeds get the rows that were checked. -#}
{% materialization seed, adapter='spark' %}
    {%- if not model.config.column_types -%}{{ return(dbt.materialization_seed_default()) }}{%- endif -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- do adapter.drop_relation(target) -%}
    {%- call statement('main') -%}{{ new_table(target, rows_of_file(model.name, model.config.column_types)) }}{%- endcall -%}
    {%- do store_result('agate_table', response='OK') -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- Loads the rows of a team's own seed. dbt's version turns empty cells into the text None, and fails on
    apostrophes. -#}
{% macro spark__load_csv_rows(model, agate_table) %}
    {%- set types = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- do types.append(model.config.column_types.get(name, adapter.convert_type(agate_table, loop.index0))) -%}
    {%- endfor -%}
    {%- set query -%}
        insert into {{ this }} values
        {%- for row in agate_table.rows %}
        ({% for cell in row %}cast({{ studyflow.cell_literal(cell) }} as {{ types[loop.index0] }}){{ ", " if not loop.last }}{% endfor %}){{ "," if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {%- if agate_table.rows | length -%}{%- do run_query(query) -%}{%- endif -%}
    {{ return(query) }}
{% endmacro %}

{% macro cell_literal(cell) -%}
    {%- if cell is none -%}null{%- else -%}'{{ cell | string | replace("\\", "\\\\") | replace("'", "\\'") }}'{%- endif -%}
{%- endmacro %}
