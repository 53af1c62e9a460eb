"""How requests leave: what is sent, who carries it, and what an answer means."""

from eyas.delivery.request import (
    Answer,
    Outcome,
    Request,
    Sender,
    Trust,
    classify,
    delivered,
    in_turn,
    refused,
    retry,
)

__all__ = [
    "Answer",
    "Outcome",
    "Request",
    "Sender",
    "Trust",
    "classify",
    "delivered",
    "in_turn",
    "refused",
    "retry",
]
