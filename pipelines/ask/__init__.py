"""Questions that are asked on a terminal: funnel, backlog, who, sql. The queries are the .sql files beside this."""
