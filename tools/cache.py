# SPDX-License-Identifier: BSD-2-Clause
"""The folder of the user's cache that all clones of the kit share."""

import functools
import subprocess
import sys
from pathlib import Path


@functools.cache
def folder() -> Path:
    """Return the folder that tools/cache-folder prints. If it refuses, end with its message."""
    script = Path(__file__).with_name("cache-folder")
    ended = subprocess.run([script], stdout=subprocess.PIPE, text=True)
    if ended.returncode != 0:
        sys.exit(ended.returncode)
    return Path(ended.stdout.removesuffix("\n"))
