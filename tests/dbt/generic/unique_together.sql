{#- No two rows agree on all of these columns: the grain of a model whose key is more than one column. -#}

{% test unique_together(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
