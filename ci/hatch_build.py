# SPDX-License-Identifier: MIT
"""Put the clock library into the wheel, if it was built.

The library is optional: without it loopcheck runs on the real clock.  With it the wheel is for one platform,
but still for every Python, because the library knows nothing of Python.  An editable installation has no use
for this: it finds the library in the clone.
"""

import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LIBRARY = Path("build/release/harness/clock/libloopcheck_clock.so")


class ClockLibraryHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds LIBRARY as ``loopcheck/data/libloopcheck_clock.so``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Change what the wheel contains; hatchling calls this with version "standard" or "editable"."""
        library = Path(self.root) / LIBRARY
        if version != "standard" or not library.is_file():
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["force_include"][str(library)] = "loopcheck/data/libloopcheck_clock.so"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
