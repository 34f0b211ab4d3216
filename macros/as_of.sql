{#- The time that the data is as of, one value for the whole run: as it is set, or when the run started. -#}

{% macro as_of() -%}
    cast('{{ setting('as_of') or run_started_at.isoformat() }}' as {{ instant_type() }})
{%- endmacro %}

{#- What is set by dbt's --vars, by the environment (STUDYFLOW_AS_OF), or by a var in dbt_project.yml, in this order;
    pipelines/settings.py has the same. The environment is read at run time only, so that another value does not make
    dbt parse the project anew. A unit test says its own var. -#}
{% macro setting(name) -%}
    {%- if not execute or model.resource_type == 'unit_test' -%}{{ return(var(name)) }}{%- endif -%}
    {%- set asked = invocation_args_dict.get('vars') or {} -%}
    {{- return(asked.get(name) or env_var('STUDYFLOW_' ~ name | upper, '') or var(name)) -}}
{%- endmacro %}
