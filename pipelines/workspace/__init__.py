"""Workspaces: what a team edits and keeps, apart from the installed package."""

from pipelines.workspace.create import create

__all__ = ["create"]
