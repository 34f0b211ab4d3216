-- The rows of the temporary table `asked`, in order.
select * exclude (place)
from asked
order by place
