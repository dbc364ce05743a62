"""News inside the pipeline: the engine says a production ended, services settle order and money."""

from django.dispatch import Signal

production_ended = Signal()  # production_id, state, fan
