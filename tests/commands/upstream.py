# SPDX-License-Identifier: BSD-2-Clause
"""Environments in which upstream cannot be reached."""

from support import folder


def no_upstream(name: str) -> dict[str, str]:
    """Returns an environment with an empty cache, in which github.com is a folder that does not exist."""
    return {
        "XDG_CACHE_HOME": str(folder() / name / "cache"),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{folder()}/nowhere/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
    }
