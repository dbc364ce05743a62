"""The pipeline's rows: the board, the story, the finish."""

from .board import Call, CallState, Event, Production, ProductionState, Step, StepState, Sweeper
from .finish import Cut, Delivery, Finding, Notice, NoticeKind, Review, ReviewState
from .story import Narration, Scene, Script, Shot, Take, TakeState

__all__ = [
    "Call",
    "CallState",
    "Cut",
    "Delivery",
    "Event",
    "Finding",
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
]
