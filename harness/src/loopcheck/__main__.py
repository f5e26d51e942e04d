# SPDX-License-Identifier: MIT
"""``python -m loopcheck``."""

import sys

from .cli import main

sys.exit(main())
