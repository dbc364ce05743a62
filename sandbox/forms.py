"""Forms as Stripe reads them: `a[b][0][c]=d` is {"a": {"b": [{"c": "d"}]}}."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl


def nested(form: str) -> dict[str, Any]:
    """A form, or a query, as dicts, lists and strings. Raises ValueError for what contradicts itself."""
    out: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True, max_num_fields=1000):
        match = re.fullmatch(r"([^\[\]]+)((?:\[[^\[\]]*\])*)", name)
        if not match:
            raise ValueError(f"Invalid parameter name: {name}")
        parts = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        place = out
        for part in parts[:-1]:
            place = place.setdefault(part or str(len(place)), {})
            if not isinstance(place, dict):
                raise ValueError(f"Invalid parameter: {name}")  # noqa: TRY004  (the form's fault)
        place[parts[-1] or str(len(place))] = value
    return {key: _listed(value) for key, value in out.items()}


def _listed(value: Any) -> Any:
    """Dicts whose keys are 0, 1, 2 … as lists."""
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(one) for key, one in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
