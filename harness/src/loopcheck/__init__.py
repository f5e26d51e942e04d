# SPDX-License-Identifier: MIT
"""loopcheck: tells whether an asyncio event loop behaves like CPython's, and shows where it does not."""

__version__ = "0.1.0"
