"""Escapes: text of an attacker stays text, in whatever language the receiver reads."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

from eyas.outputs.body.event import plain

_MARKDOWN = str.maketrans({sign: "\\" + sign for sign in "\\`*_{}[]<>#|~"})
_TELEGRAM = str.maketrans({sign: "\\" + sign for sign in "_*[]()~`>#+-=|{}.!\\"})
_SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_MENTION = re.compile(r"@(?=\w)")
_TAME = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def line(text: object) -> str:
    """Text on one line: control characters and those that turn the direction of writing become visible."""
    shown = str(plain(text if isinstance(text, str) else str(text)))
    if shown.isprintable():
        return shown
    return "".join(_visible(c) for c in shown)


def _visible(c: str) -> str:
    if c.isprintable():
        return c
    # Unassigned and private characters cannot harm; Cc, Cf, Zl, Zp move the cursor or the line.
    if unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp"):
        return c
    return _TAME.get(c) or f"\\u{ord(c):04x}"


def slack(text: object) -> str:
    """Slack's mrkdwn: `<` opens links and mentions, nothing else reaches beyond the text."""
    return line(text).translate(_SLACK)


def markdown(text: object) -> str:
    """Markdown of Mattermost, Rocket.Chat, Teams, Webex: no format, no link, no `@channel`."""
    return _MENTION.sub("@\u200b", line(text).translate(_MARKDOWN))


def telegram(text: object) -> str:
    """Telegram's MarkdownV2, where every sign of a closed list is escaped."""
    return line(text).translate(_TELEGRAM)


def to_html(text: object) -> str:
    """HTML, in text and in quoted attributes."""
    return html.escape(line(text), quote=True)


def cut(text: str, size: int) -> str:
    """At most `size` characters; what was cut shows as `…`."""
    return text if len(text) <= size else text[: size - 1] + "…"


def fitted(text: object, size: int, escape: Callable[[object], str]) -> str:
    """Escaped text of at most `size` characters. What is cut off is cut off first, so that no escape is torn apart."""
    raw = line(text)[: size + 1]
    shown = escape(raw)
    if len(shown) <= size:
        return shown
    fits, over = 0, len(raw)
    while over - fits > 1:
        middle = (fits + over) // 2
        fits, over = (middle, over) if len(escape(raw[:middle] + "…")) <= size else (fits, middle)
    return escape(raw[:fits] + "…")


def header(text: object) -> str:
    """The value of a header: one line of ASCII, RFC 9110."""
    return "".join(c if " " <= c <= "~" else "?" for c in line(text)).strip()
