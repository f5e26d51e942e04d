# SPDX-License-Identifier: MIT
"""Records for the tests of baselines: short to write, and a small run of uvloop as it really came out.

``differing("a/b", "value:value:x")`` is the record of a scenario that differs in these ways.
"""

import datetime
from typing import Any

import pytest

from loopcheck.baseline import Baseline
from loopcheck.baseline_file import BaselineError, parse_entries
from loopcheck.judge import Finding, Judgement
from loopcheck.results import Results, ScenarioResult
from loopcheck.vocabulary import KINDS

from .building import footer, header, result

Record = dict[str, Any]
FILE = "uvloop.toml"
TODAY = datetime.date(2026, 6, 1)
PLATFORM = "Linux-6.1.0-18-amd64-x86_64-with-glibc2.36"


def finding(signature: str, level: str = "guaranteed") -> Finding:
    """Return a difference of this signature; one of an event called ``raised`` ended the scenario."""
    _, kind, name = signature.split(":", 2)
    capped = level if KINDS[kind].level == "scenario" else "observed"
    ended = kind == "class" and name.startswith("raised ")
    sentence = f"“{name}”: asyncio has one thing, uvloop has {kind}."
    return Finding(kind, name, sentence, capped, None if ended else ["ours"], ["theirs"], ended_it=ended)


def judged(scenario: str, verdict: str, *signatures: str, target: str = "uvloop", **more: Any) -> Record:
    """Return a record with a verdict and differences; more: level (of the scenario), outcomes, reason."""
    level = more.pop("level", "guaranteed")
    found = tuple(finding(signature, level) for signature in signatures if signature[:8] != "process:")
    record = result(
        Judgement(verdict, level, found, seen=(1, 1), reason=more.pop("reason", "")),
        id=scenario,
        target=target,
        scenario_level=level,
    )
    if signatures and not found:
        record |= {"signature": signatures[0], "sentence": "uvloop died."}
    if "outcomes" in more:
        outcomes = [{"signature": name, "count": count} for name, count in more.pop("outcomes").items()]
        record["repeats"] = {
            "seen": 1,
            "of": sum(outcome["count"] for outcome in outcomes),
            "outcomes": outcomes,
        }
    assert not more
    return record


def differing(scenario: str, *signatures: str, **more: Any) -> Record:
    """Return the record of a scenario that differs."""
    return judged(scenario, "differ", *signatures, **more)


def agreeing(scenario: str, **more: Any) -> Record:
    """Return the record of a scenario that agrees."""
    return judged(scenario, "agree", **more)


def head(*targets: str, scenarios: int = 1, of: int = 3, **fields: Any) -> Record:
    """Return the header of a run of uvloop 0.23.0; a target ``uvloop@python3.14`` is on CPython 3.14.1.

    fields: of the header, or python, implementation and version, of every target.
    """
    about = {key: fields.pop(key) for key in ("python", "implementation", "version") if key in fields}
    usual = {"platform": PLATFORM, "selected": scenarios, "of": of}
    made = header(*(targets or ("uvloop",)), **{**usual, **fields})
    for target in made["targets"]:
        _, _, minor = target["name"].partition("@python")
        target |= {"version": "0.23.0", "python": f"{minor}.1" if minor else "3.11.7", **about}
    return made


def run_of(records: list[Record], about: Record | None = None, *, complete: bool = True) -> Results:
    """Return the results that these records make."""
    scenarios = [ScenarioResult(record, (), ()) for record in records]
    return Results(about or head(), scenarios, [], footer() if complete else None)


def entry(**fields: Any) -> str:
    """Return the text of an entry: of zero_delay/uvloop/value:value:zero, but for the fields; None leaves out."""
    usual = {
        "scenario": "timers/zero_delay",
        "target": "uvloop",
        "signature": "value:value:zero",
        "reason": "It calls call_soon().",
    }
    lines = []
    for key, value in {**usual, **fields}.items():
        if value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            quoted = f'"{text}"' if isinstance(value, str) else text
            lines.append(f"{key} = {quoted}")
    return "\n".join(["[[known]]", *lines, ""])


def baseline(*entries: str, today: datetime.date = TODAY) -> Baseline:
    """Return the baseline that these entries make, with an empty line between them."""
    return Baseline(FILE, parse_entries("\n".join(entries), FILE), today)


def refusal(text: str) -> str:
    """Return the sentence that says why a text is no baseline."""
    with pytest.raises(BaselineError) as caught:
        parse_entries(text, FILE)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def verdict_of(listed: Baseline, record: Record, header: Record | None = None) -> str:
    """Return the verdict of a record with a baseline."""
    return str(listed.apply(record, header or head())["verdict"])


# ---- a run of uvloop 0.23.0 on CPython 3.11 to 3.14, with a few of its scenarios ----------------------------

MINORS = ("3.11", "3.12", "3.13", "3.14")
UVLOOP = head(*(f"uvloop@python{minor}" for minor in MINORS), scenarios=8, of=8)

EVERYWHERE: dict[str, tuple[str, ...]] = {
    "timers/zero_delay_returns_a_timer_handle": (
        "value:value:zero",
        "value:value:negative",
        "value:value:in the past",
    ),
    "running/stop_finishes_the_batch": ("order:extra:scheduled after stop",),
    "descriptors/stopping_reader_does_not_run_again": ("order:order:readable", "order:extra:readable"),
    "debug/slow_reader_is_logged": ("order:missing:record", "error:log:WARNING"),
    "handles/timer_handle_is_a_handle": ("value:value:instance of the class of call_soon()'s handle",),
}


def uvloop_records() -> list[Record]:
    """Return the records of the run, scenario by scenario."""
    found = []
    for scenario, signatures in EVERYWHERE.items():
        found += [differing(scenario, *signatures, target=f"uvloop@python{minor}") for minor in MINORS]
    eager, old, middle, new = (
        "tasks/eager_task_starts_inside_create_task",
        "uvloop@python3.12",
        "uvloop@python3.13",
        "uvloop@python3.14",
    )
    found += [
        judged(eager, "skipped", target="uvloop@python3.11", reason="version"),
        agreeing(eager, target=old),
        differing(eager, "error:class:raised TypeError", "order:missing:first step", target=middle),
        differing(eager, "order:order:first step", "order:order:scheduled after", target=new),
        *(agreeing("callbacks/callbacks_run_in_order", target=f"uvloop@python{minor}") for minor in MINORS),
        *(
            judged(
                "handles/when_is_not_rounded",
                "variant",
                "value:value:same moment",
                target=f"uvloop@python{minor}",
                level="observed",
            )
            for minor in MINORS
        ),
    ]
    return found
