"""Pages of HTML that stand alone: style and data inside, every value escaped, nothing loaded from elsewhere."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from eyas.alert import iso8601
from eyas.delivery import stored


@cache
def _environment() -> Environment:
    made = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FunctionLoader(text), trim_blocks=True
    )
    made.filters["when"] = lambda ts: iso8601(ts, "Z")[:19].replace("T", " ") + " UTC"
    made.filters["clock"] = lambda ts: iso8601(ts, "Z")[11:23]
    made.filters["severity"] = stored.severity
    return made


def text(name: str) -> str:
    """A file of the folder `pages`."""
    return files("eyas.hub").joinpath("pages", name).read_text(encoding="utf-8")


def render(name: str, **values: Any) -> str:
    """Fill a page."""
    page = _environment().get_template(name)
    made = page.render(style=Markup(text("style.css")), severities=stored.SEVERITIES, **values)
    return made.encode("utf-8", "replace").decode()


def data(value: Any) -> Markup:
    """JSON that can stand inside a script element: nothing in it ends the element."""
    made = json.dumps(value, ensure_ascii=True, default=str)
    return Markup(made.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
