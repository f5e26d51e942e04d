# SPDX-License-Identifier: MIT
"""Comparing and showing the values of events.

``loopcheck_target/values.py`` defines the forms.  Comparison goes by structure and says *how* two values
differ: another class of exception is something else than another text of the same exception.
"""

from typing import Any

# How two values can differ, the gravest first; each is a kind of difference in the vocabulary.
GRAVITY = ("class", "errno", "context", "value", "wording")


def compare(oracle: Any, target: Any, key: str = "") -> str | None:
    """Return how two values differ: one of GRAVITY, or None when they are equal."""
    if _is_exception(oracle) or _is_exception(target):
        return _compare_exceptions(oracle, target)
    if isinstance(oracle, dict) and isinstance(target, dict):
        return _compare_forms(oracle, target)
    if isinstance(oracle, list) and isinstance(target, list):
        return compare_all(oracle, target)
    if type(oracle) is type(target) and oracle == target:  # the type too: True == 1 == 1.0
        return None
    if key == "message" and isinstance(oracle, str) and isinstance(target, str):
        return "wording"
    return "value"


def compare_all(oracle: Any, target: Any) -> str | None:
    """Compare two sequences element by element; return the gravest difference."""
    if len(oracle) != len(target):
        return "value"
    return _gravest(compare(a, b) for a, b in zip(oracle, target, strict=True))


def _gravest(found: Any) -> str | None:
    present = {kind for kind in found if kind is not None}
    return next((kind for kind in GRAVITY if kind in present), None)


def _is_exception(value: Any) -> bool:
    return isinstance(value, dict) and "exc" in value


def _compare_exceptions(oracle: Any, target: Any) -> str | None:
    if not (_is_exception(oracle) and _is_exception(target)) or oracle["exc"] != target["exc"]:
        return "class"
    if oracle.get("errno") != target.get("errno"):
        return "errno"
    parts = [compare_all(oracle.get("members", []), target.get("members", []))]
    if ("cause" in oracle) != ("cause" in target):
        parts.append("class")
    elif "cause" in oracle:
        parts.append(compare(oracle["cause"], target["cause"]))
    if oracle["msg"] != target["msg"]:
        parts.append("wording")
    return _gravest(parts)


def _compare_forms(oracle: dict[str, Any], target: dict[str, Any]) -> str | None:
    if oracle.keys() != target.keys():
        return "value"
    if "dict" not in oracle:
        return _gravest(compare(oracle[form], target[form]) for form in oracle)
    items, others = oracle["dict"], target["dict"]
    if items.keys() != others.keys():
        return "context"
    return _gravest(compare(items[key], others[key], key) for key in items)


def show(value: Any) -> str:
    """Return a value as a person would write it."""
    if isinstance(value, list):
        return "[" + ", ".join(map(show, value)) + "]"
    if not isinstance(value, dict):
        return repr(value)
    if "exc" in value:
        return _show_exception(value)
    for form, template in (("bytes", "%s"), ("type", "%s"), ("obj", "<%s>"), ("float", "%s")):
        if form in value:
            return str(template % value[form])
    if "tuple" in value:
        return "(" + ", ".join(map(show, value["tuple"])) + ("," if len(value["tuple"]) == 1 else "") + ")"
    if "set" in value:
        return "{" + ", ".join(map(show, value["set"])) + "}" if value["set"] else "set()"
    return "{" + ", ".join(f"{key}: {show(item)}" for key, item in value["dict"].items()) + "}"


def _show_exception(value: dict[str, Any]) -> str:
    inside = [value["errno"]] if value.get("errno") else []
    inside += [repr(value["msg"])] if value["msg"] else []
    inside += [show(member) for member in value.get("members", [])]
    text = f"{value['exc']}({', '.join(map(str, inside))})"
    return f"{text} from {show(value['cause'])}" if "cause" in value else text


def show_all(values: Any) -> str:
    """Return the values of an event, separated by spaces."""
    return " ".join(map(show, values))
