-- The rows of the temporary table `listing`, in order.
select * exclude (place)
from listing
order by place
