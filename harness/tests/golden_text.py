# SPDX-License-Identifier: MIT
"""Golden texts of reports: the whole text, compared with a file.

LOOPCHECK_TEST_WRITE_GOLDEN=1 writes the files again; then read the difference before you believe it.
"""

import os
from pathlib import Path

FOLDER = Path(__file__).with_name("golden_reports")
WRITE = bool(os.environ.get("LOOPCHECK_TEST_WRITE_GOLDEN"))


def check_golden(name: str, text: str) -> None:
    """Compare a text with the golden file of a name."""
    file = FOLDER / name
    if WRITE:
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
