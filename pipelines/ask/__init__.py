"""Answers questions from the warehouse: one module for each command of cli/ask.py, with its queries in .sql files."""
