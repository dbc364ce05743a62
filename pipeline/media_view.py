"""Private files with byte ranges: 206, 416, HEAD, If-Range; streamed in chunks, never read whole into memory."""

from __future__ import annotations

import asyncio
import mimetypes
import re
from collections.abc import AsyncIterator
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.core.files.storage import default_storage
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from orders.far import StorageAway
from orders.models import Order
from orders.visitors import known_visitor

from . import media_links
from .access import may_see

CHUNK = 256 * 1024
# How long a browser may follow the same redirect again: long enough for a list that is shown anew every two seconds.
REDIRECT_SECONDS = 60
RETRY_SECONDS = 5
_RANGE = re.compile(r"^bytes=(\d{0,18})-(\d{0,18})$")
# Stored names begin with a folder of one order.
_OWNER = re.compile(r"^(?:orders|films)/([^/]+)/")


def _allowed(request: HttpRequest, signed: str) -> tuple[str, str]:
    """The stored name and the download name, for those who may see the order. Raises Http404."""
    found = media_links.read(signed)
    if found is None:
        raise Http404
    name, filename = found
    owner = _OWNER.match(name)
    order = Order.objects.select_related("creator", "fan").filter(code=owner[1]).first() if owner else None
    if order is None or not may_see(order, request.user, known_visitor(request)):
        raise Http404
    if hasattr(order, "delivery") and order.delivery.revoked_at is not None:
        raise Http404
    return name, filename


def _open(name: str) -> tuple[IO[bytes], int]:
    try:
        file = default_storage.open(name, "rb")
    except FileNotFoundError:
        raise Http404 from None
    return file, file.size


@require_safe
async def media(request: HttpRequest, signed: str, filename: str) -> HttpResponseBase:
    """One stored file, whole or in part, to those who may see its order; from a far storage by a redirect."""
    name, download = await sync_to_async(_allowed)(request, signed)
    try:
        if address := await sync_to_async(media_links.elsewhere)(name, download, request.method or "GET"):
            redirect = HttpResponseRedirect(address)
            redirect["Cache-Control"] = f"private, max-age={REDIRECT_SECONDS}"
            return redirect
        file, size = await sync_to_async(_open)(name)
    except StorageAway:
        return HttpResponse(status=503, headers={"Retry-After": str(RETRY_SECONDS)})
    etag = f'"{name.rsplit("/", 1)[-1]}"'  # names are unguessable and never reused, so the name is the version
    if request.headers.get("If-None-Match") == etag:
        file.close()
        return _headed(HttpResponse(status=304), etag, download, name)
    part = _part(request, size, etag)
    if part is None:
        file.close()
        response: HttpResponseBase = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{size}"
        return response
    start, end, partial = part
    if request.method == "HEAD":
        file.close()
        response = HttpResponse()
    else:
        response = StreamingHttpResponse(_chunks(file, start, end))
    response.status_code = 206 if partial else 200
    if partial:
        response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    response["Content-Length"] = str(end - start)
    return _headed(response, etag, download, name)


def _headed(response: HttpResponseBase, etag: str, download: str, name: str) -> HttpResponseBase:
    response["Content-Type"] = "text/vtt; charset=utf-8" if name.endswith(".vtt") else _type(name)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=3600"
    response["X-Content-Type-Options"] = "nosniff"
    if download:
        response["Content-Disposition"] = content_disposition_header(True, download) or "attachment"
    return response


def _type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _part(request: HttpRequest, size: int, etag: str) -> tuple[int, int, bool] | None:
    """First byte, one past the last, and whether this is a part. None when the range cannot be satisfied (RFC 9110)."""
    asked = _RANGE.match(request.headers.get("Range", ""))
    condition = request.headers.get("If-Range")
    if asked is None or asked.groups() == ("", "") or (condition is not None and condition != etag):
        return 0, size, False
    first, last = asked.groups()
    if first and last and int(last) < int(first):
        return 0, size, False  # not a range at all: to be passed over
    if first:
        start = int(first)
        end = min(int(last) + 1, size) if last else size
    else:
        start, end = max(0, size - int(last)), size
    return (start, end, True) if start < end else None


async def _chunks(file: IO[Any], start: int, end: int) -> AsyncIterator[bytes]:
    try:
        await asyncio.to_thread(file.seek, start)
        left = end - start
        while left > 0:
            chunk = await asyncio.to_thread(file.read, min(CHUNK, left))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk
    finally:
        await asyncio.to_thread(file.close)
