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
from .desk import RefundRequest, RequestState
from .finish import Cut, Delivery, Finding, FirstLook, Notice, NoticeKind, Review, ReviewState
from .rendition import Rendition, RenditionState
from .story import Concern, Narration, Scene, Script, Shot, Subject, Take, TakeState

__all__ = [
    "OPEN_CALLS",
    "Call",
    "CallState",
    "Concern",
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
    "RefundRequest",
    "RequestState",
    "Rendition",
    "RenditionState",
    "Review",
    "ReviewState",
    "Scene",
    "Script",
    "Shot",
    "Step",
    "StepState",
    "Subject",
    "Sweeper",
    "Take",
    "TakeState",
    "Vendor",
]
