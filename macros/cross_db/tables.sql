{#- Materializations for DuckDB, which can replace a table in one statement. dbt's own take about ten: they create the
    table under another name, rename two tables, drop one, and look up the columns three times. -#}

{% materialization table, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- do drop_view_in_the_way() -%}
    {%- call statement('main') -%}{{ replace_table(target, compiled_code) }}{%- endcall -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% materialization incremental, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- if should_full_refresh() -%}
        {%- do drop_view_in_the_way() -%}
        {%- call statement('main') -%}{{ replace_table(target, compiled_code) }}{%- endcall -%}
    {%- else -%}
        {%- set touched = make_temp_relation(target) -%}
        {%- call statement('touched') -%}{{ create_table_as(true, touched, compiled_code) }}{%- endcall -%}
        {%- set columns = adapter.get_columns_in_relation(target) -%}
        {%- set strategy = adapter.get_incremental_strategy_macro(context, config.get('incremental_strategy')) -%}
        {%- call statement('main') -%}
            {{ strategy({'target_relation': target, 'temp_relation': touched, 'dest_columns': columns}) }};
            drop table {{ touched }}
        {%- endcall -%}
    {%- endif -%}
    {{ run_hooks(post_hooks, inside_transaction=true) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- Seeds whose columns are in dbt_project.yml get the rows that were checked. dbt itself would read the file with
    agate. -#}
{% materialization seed, adapter='duckdb' %}
    {%- if not model.config.column_types -%}{{ return(dbt.materialization_seed_default()) }}{%- endif -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- call statement('main') -%}
        create or replace table {{ target }} as {{ rows_of_file(model.name, model.config.column_types) }}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {%- do store_result('agate_table', response='OK') -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- Drops the view of this name if the model used to be a view and is now a table. -#}
{% macro drop_view_in_the_way() %}
    {%- set existing = load_cached_relation(this) -%}
    {%- if existing is not none and existing.is_view -%}{%- do adapter.drop_relation(existing) -%}{%- endif -%}
{% endmacro %}

{#- Creates or replaces a table with its comments and, if it has a contract, its constraints. -#}
{% macro replace_table(target, query) %}
    {%- if config.get('contract').enforced -%}
        {{ check_contract(target, query) }};
        create or replace table {{ target }} (
            {%- for column in model.columns.values() %}
                {{ column_with_constraints(column) }}{{ ',' if not loop.last }}
            {%- endfor %}
        );
        insert into {{ target }} by name ({{ query }});
    {%- else -%}
        create or replace table {{ target }} as ({{ query }});
    {%- endif -%}
    {%- if config.persist_relation_docs() and model.description -%}
        {{ alter_relation_comment(target, model.description) }}
    {%- endif -%}
    {%- if config.persist_column_docs() -%}
        {{ comments_on_columns(target, model.columns) }}
    {%- endif -%}
{% endmacro %}

{% macro comments_on_columns(target, columns) %}
    {%- for column in columns.values() if column.description %}
        comment on column {{ target }}.{{ column.name }} is {{ duckdb_escape_comment(column.description) }};
    {%- endfor -%}
{% endmacro %}

{#- A query that fails if column names or types differ from the contract, and says which. -#}
{% macro check_contract(target, query) %}
    select error('{{ target.identifier }} differs from its contract: ' || differences)
    from (
        select string_agg(
            case
                when made.column_name is null then agreed.column_name || ' is missing'
                when agreed.column_name is null then made.column_name || ' is not in the contract'
                else made.column_name || ' is ' || made.column_type || ', not ' || agreed.column_type
            end,
            '; ' order by coalesce(made.column_name, agreed.column_name)
        ) as differences
        from (describe select * from ({{ query }}) as made) as made
        full join (describe {{ get_empty_schema_sql(model.columns) }}) as agreed using (column_name)
        where made.column_type is distinct from agreed.column_type
    ) as compared
    where differences is not null
{% endmacro %}
