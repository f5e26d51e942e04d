# SPDX-License-Identifier: MIT
"""Results as a badge: the JSON that shields.io reads from an address (its *endpoint* schema, version 1).

A badge is read by people who know nothing of the run, so an incomplete run never shows green.
"""

import json

from .digest import count, plural, run_failed
from .results import Results, ScenarioResult

LABEL = "asyncio conformance"


def badge(*several: Results) -> str:
    """Return the badge of one results file, or one badge of several."""
    scenarios = [result for results in several for result in results.scenarios]
    if any(map(run_failed, several)):
        fields = {"message": "run failed", "color": "lightgrey", "isError": True}
    else:
        message, color = _message(scenarios)
        fields = {"message": message, "color": color}
    return json.dumps({"schemaVersion": 1, "label": LABEL, **fields}, indent=1) + "\n"


def _message(scenarios: list[ScenarioResult]) -> tuple[str, str]:
    ran = len(scenarios) - count(scenarios, "none")
    differences = count(scenarios, "difference")
    known = sum(result.verdict == "known" for result in scenarios)
    of = f"of {plural(ran, 'scenario')}"
    if differences:
        also_known = f", {known} known" if known else ""
        return f"{plural(differences, 'difference')}{also_known} {of}", "red"
    if known:
        return f"{plural(known, 'known difference')} {of}", "yellowgreen"
    return f"no difference in {plural(ran, 'scenario')}", "brightgreen"
