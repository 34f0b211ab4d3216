{#- The as-of time, one value for the whole run: the setting, or else the time at which the run started. -#}

{% macro as_of() -%}
    cast('{{ setting('as_of') or run_started_at.isoformat() }}' as {{ instant_type() }})
{%- endmacro %}

{#- A setting: from dbt's --vars, else from the environment (e.g. STUDYFLOW_AS_OF), else from dbt_project.yml, as in
    pipelines/settings.py. The environment is read only at run time, because otherwise dbt would parse the project again
    whenever a value changes. Unit tests set the var themselves. -#}
{% macro setting(name) -%}
    {%- if not execute or model.resource_type == 'unit_test' -%}{{ return(var(name)) }}{%- endif -%}
    {%- set given_vars = invocation_args_dict.get('vars') or {} -%}
    {{- return(given_vars.get(name) or env_var('STUDYFLOW_' ~ name | upper, '') or var(name)) -}}
{%- endmacro %}
