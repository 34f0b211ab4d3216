"""Workspaces: folders with a team's settings, reference tables and models, separate from the installed package."""

from pipelines.workspace.create import create

__all__ = ["create"]
