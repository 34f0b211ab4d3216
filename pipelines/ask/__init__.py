"""Questions that are asked on a terminal: one file for each command of cli/ask.py. The queries are the .sql files beside this."""
