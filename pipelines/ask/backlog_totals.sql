-- One row: how many, and how much they are owed where their studies say it.
select
    count(*) as participants,
    count(*) filter (where is_overdue) as overdue,
    count(*) filter (where is_hidden) as hidden,
    coalesce(sum(amount_cents), 0) as amount_cents,
    count(*) filter (where amount_cents is null) as without_amount
from asked
