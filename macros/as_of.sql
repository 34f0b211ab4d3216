{#- The moment the tables speak for, one value for the whole run: the var, what `studyflow` says in the environment,
    or when the run started. The environment is read at run time only, so that a new moment does not make dbt
    parse the project anew. -#}

{% macro as_of() -%}
    {%- set said = var('as_of') or (env_var('STUDYFLOW_AS_OF', '') if execute else '') -%}
    cast('{{ said or run_started_at.isoformat() }}' as {{ instant_type() }})
{%- endmacro %}

{#- Where an optional reference file lies, named in the environment or by a var, in this order. -#}
{% macro reference_file(name) -%}
    {%- set said = env_var('STUDYFLOW_' ~ name | upper ~ '_FILE', '') if execute else '' -%}
    {{- return(said or var(name ~ '_file')) -}}
{%- endmacro %}
