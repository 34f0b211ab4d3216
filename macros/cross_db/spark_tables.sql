{#- How Spark makes tables: each a folder of Parquet files, named like the table, in the folder of its schema. dbt asks for
    these macros by name. -#}

{% macro spark__file_format_clause() -%}using parquet{%- endmacro %}

{#- Files of an earlier build that lie there are replaced. -#}
{% macro spark__location_clause() -%}location '{{ model.alias }}'{%- endmacro %}

{#- Plain files keep no constraints. What a contract says of columns has been compared with the query by then, and data tests
    look for nulls. -#}
{% macro spark__persist_constraints(relation, model) -%}{%- endmacro %}

{#- Every build makes everything anew: rows of plain files cannot be replaced. -#}
{% materialization incremental, adapter='spark' %}
    {{ return(materialization_table_spark()) }}
{% endmaterialization %}

{#- A view would only be there for Spark, and not for those who read the files. -#}
{% materialization view, adapter='spark' %}
    {{ return(materialization_table_spark()) }}
{% endmaterialization %}

{#- A seed has the rows that were checked. -#}
{% materialization seed, adapter='spark' %}
    {%- if not model.config.column_types -%}{{ return(dbt.materialization_seed_default()) }}{%- endif -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- do adapter.drop_relation(target) -%}
    {%- call statement('main') -%}{{ new_table(target, rows_of_file(model.name, model.config.column_types)) }}{%- endcall -%}
    {%- do store_result('agate_table', response='OK') -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- The rows of a seed of a team's own. dbt's way makes the text None of an empty cell, and breaks at an apostrophe. -#}
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
