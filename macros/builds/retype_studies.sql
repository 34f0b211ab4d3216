{#- The type of a study can change for all of its participants when one of them does something new. -#}
{% macro retype_studies() %}
    {%- if builds_on_the_last() %}
    update {{ this }}
    set study_type = (
        select studies.study_type from {{ ref('int_studies') }} as studies
        where studies.study_id = {{ this.identifier }}.study_id
    )
    where exists (
        select 1 from {{ ref('int_studies') }} as studies
        where
            studies.study_id = {{ this.identifier }}.study_id
            and studies.study_type <> {{ this.identifier }}.study_type
    )
    {%- endif %}
{% endmacro %}
