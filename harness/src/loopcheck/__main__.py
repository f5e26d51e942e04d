# SPDX-License-Identifier: MIT
"""``loopcheck`` and ``python -m loopcheck``: the command line, also for who interrupts it while it is loaded."""

import sys


def main() -> int:
    """Run the command line; return the exit status."""
    try:
        from . import cli  # takes a while  # noqa: PLC0415

        return cli.main()
    except KeyboardInterrupt:
        print("loopcheck: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
