# SPDX-License-Identifier: BSD-2-Clause
"""The folder of the user's cache that all clones of the kit share; environment.sh has the same rule for shells."""

import os
from pathlib import Path


def folder() -> Path:
    """Return the kit's folder below XDG_CACHE_HOME, or below ~/.cache where that is not set."""
    # The XDG specification has relative paths ignored.
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "sel4-rust-kit"
