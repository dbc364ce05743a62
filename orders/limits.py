"""How often one address may do what costs us work: counted per window in the cache; then a page that says so."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

View = Callable[..., HttpResponse]


def _raised(key: str, seconds: int) -> int:
    try:
        return cache.incr(key)
    except ValueError:  # it ran out between two looks
        cache.add(key, 1, seconds)
        return 1


def limited(what: str, *, times: int, seconds: int) -> Callable[[View], View]:
    """Let one network address POST this at most `times` in a window of `seconds`; then 429 with Retry-After.

    Windows begin on the clock's multiples of `seconds`, so a burst across an edge may be twice as long. Several web
    processes count together when they share a cache.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def counted(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method == "POST":
                now = int(time.time())
                key = f"limit:{what}:{request.META.get('REMOTE_ADDR', '')}:{now // seconds}"
                if not cache.add(key, 1, seconds) and _raised(key, seconds) > times:
                    response = render(request, "429.html", status=429)
                    response["Retry-After"] = str(seconds - now % seconds)
                    return response
            return view(request, *args, **kwargs)

        return counted

    return decorate
