select * exclude (place)
from asked
order by place
