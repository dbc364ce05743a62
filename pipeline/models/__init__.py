"""The pipeline's rows: the board, the story, the finish."""

from .board import (
    OPEN_CALLS,
    Call,
    CallState,
    Event,
    HookEvent,
    Production,
    ProductionState,
    Step,
    StepState,
    Sweeper,
    Vendor,
)
from .finish import Cut, Delivery, Finding, FirstLook, Notice, NoticeKind, Review, ReviewState
from .story import Narration, Scene, Script, Shot, Take, TakeState

__all__ = [
    "OPEN_CALLS",
    "Call",
    "CallState",
    "Cut",
    "Delivery",
    "Event",
    "Finding",
    "FirstLook",
    "HookEvent",
    "Narration",
    "Notice",
    "NoticeKind",
    "Production",
    "ProductionState",
    "Review",
    "ReviewState",
    "Scene",
    "Script",
    "Shot",
    "Step",
    "StepState",
    "Sweeper",
    "Take",
    "TakeState",
    "Vendor",
]
