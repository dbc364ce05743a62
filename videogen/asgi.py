"""The web server's way in: HTTP to Django, sockets to Channels."""

import os
import tempfile

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "videogen.settings")
http = get_asgi_application()  # sets Django up; what follows may import models

from pipeline.consumers import sockets  # noqa: E402

from .bodies import BodyLimit  # noqa: E402
from .origins import SameOrigin  # noqa: E402

# What a large body is written to while it arrives: our own folder, not a temporary one that may be memory.
tempfile.tempdir = str(settings.FILE_UPLOAD_TEMP_DIR)
socket = AllowedHostsOriginValidator(SameOrigin(AuthMiddlewareStack(URLRouter(sockets))))
application = ProtocolTypeRouter({"http": BodyLimit(http), "websocket": socket})
