"""The pipeline app: making the film."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PipelineConfig(AppConfig):
    """The board, the story, the cut; listens for placed orders and uploaded photos."""

    name = "pipeline"
    verbose_name = _("Making films")

    def ready(self) -> None:
        """Connect to the news from the apps below, and tell the wizard who reads its stories."""
        from orders import reader  # noqa: PLC0415  (models must be loaded first)

        from . import listeners, roster, wording  # noqa: F401, PLC0415

        reader.use(objection=wording.objection, sharing=roster.sharing)
