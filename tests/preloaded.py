"""What the process has that others are forked from (processes.py): the parsed project, if there is one by then."""

import gc
import os
from pathlib import Path

from processes import PARSED, parsed_project

if PARSED in os.environ:
    parsed_project(Path(os.environ[PARSED]))
gc.freeze()  # what is there now stays, and is not looked through in each process
