"""Workspaces: folders with a team's settings, reference tables and models, separate from the installed package."""
