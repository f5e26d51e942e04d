# SPDX-License-Identifier: MIT
"""``loopcheck fuzz``: the same random programs on two loops, and what they do differently, made small.

Reading order: ``operations`` (what a program is), ``generate``, ``runner`` (programs in, events out), ``compare``,
``shrink``, ``cluster`` (which differences are the same one), ``campaign`` (a whole run), ``render`` (a program as
Python), ``corpus`` (files) and ``verb`` (the command).  What runs a program inside a target is
``loopcheck_target/program.py``.
"""
