"""The desk as many people see it: one row of everything for one creator, and every address of the admin."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core import serializers
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import Creator, User
from accounts.scoping import SEES_ALL
from billing import services as billing
from billing.models import Statement
from orders.models import Brief, Order
from pipeline.models import Cut, Production, Review, Scene, Script

from . import making

_numbers = itertools.count(1)


class World:
    """A creator with one row of every model; `word` is in everything they wrote, or that was written for them."""

    def __init__(self, creator: Creator, word: str, number: int) -> None:
        self.creator, self.word = creator, word
        assert creator.user is not None
        self.rows: dict[type[models.Model], Any] = {Creator: creator}
        fan = User.objects.create_user(f"{word}@films.example", name=word)
        order = making.draft(by=fan, approval=creator.approval)
        Order.objects.filter(pk=order.pk).update(creator=creator)
        Brief.objects.filter(order=order).update(name=word, notes=f"{word} likes tea.")
        order.refresh_from_db()
        billing.pay(payment=billing.begin_payment(order=order), card="good")
        order.refresh_from_db()
        production = order.productions.get()
        film = default_storage.save(f"{production.folder}/film.mp4", ContentFile(b"film"))
        cut = Cut.objects.create(
            production=production,
            file=film,
            sha256=f"{number:064d}",
            width=9,
            height=16,
            fps=30,
            seconds=3,
            verdict="pass",
        )
        script = Script.objects.create(production=production, title=word)
        scene = Scene.objects.create(script=script, number=1, text=f"{word}, hello.", photo=order.photos.all()[0])
        review = Review.objects.create(cut=cut, creator=creator, sha256=cut.sha256)
        self.rows |= {User: fan, Order: order, Brief: order.brief, Production: production, Cut: cut, Script: script}
        self.rows |= {Scene: scene, Review: review}
        # A month has to add up.
        zeros = dict.fromkeys(("opening", "earned", "reversed", "paid_out", "closing", "films"), 0)
        self.rows[Statement], _made = Statement.objects.get_or_create(
            creator=creator, month=dt.date(2026, 3, 1), currency="EUR", defaults=zeros
        )
        self.order, self.cut, self.review = order, cut, review

    @property
    def user(self) -> User:
        """Who signs in."""
        assert self.creator.user is not None
        return self.creator.user

    def marks(self) -> list[str]:
        """What nobody else may read."""
        return [self.word, self.order.code, self.user.email, self.creator.name]

    def row(self, model: type[models.Model]) -> Any:
        """The one row of this model, made now where there is none; its texts are the word."""
        if model not in self.rows:
            found = self._existing(model)
            self.rows[model] = found or model._default_manager.create(**self._values(model))
        return self.rows[model]

    def _existing(self, model: type[models.Model]) -> Any:
        """A row of this model that belongs to ours."""
        for field in model._meta.concrete_fields:
            if field.is_relation and field.related_model in (Order, Production, Creator) and not field.primary_key:
                found = model._default_manager.filter(**{field.name: self.rows[field.related_model]}).first()
                if found is not None:
                    return found
        return None

    def _values(self, model: type[models.Model]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for field in model._meta.concrete_fields:
            if field.primary_key or getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False):
                continue
            if isinstance(field, models.ForeignKey):
                if not field.null or field.related_model in self.rows:
                    values[field.name] = self.row(field.related_model)
            elif field.has_default() and not field.unique:
                continue
            else:
                values[field.name] = self._value(field)
        return values

    def _value(self, field: Any) -> Any:
        if field.choices:
            return field.flatchoices[0][0]
        if isinstance(field, models.EmailField):
            return f"{self.word}{next(_numbers)}@films.example"
        if isinstance(field, models.CharField | models.TextField):
            return f"{self.word}-{next(_numbers)}"[: field.max_length or 60]
        if isinstance(field, models.JSONField):
            return {"said": self.word}
        if isinstance(field, models.DateTimeField):
            return None if field.null else timezone.now()
        if isinstance(field, models.DateField):
            return dt.date(2026, 3, 1)
        if isinstance(field, models.BooleanField):
            return False
        return None if field.null else next(_numbers)


@dataclass(frozen=True)
class Address:
    """One address of the desk: its route, with what stands for arguments replaced; the model it is about, if one."""

    route: str
    name: str
    path: str
    model: type[models.Model] | None
    of_a_row: bool


MODELS = {f"{m._meta.app_label}/{m._meta.model_name}": m for m in admin.site._registry}
# Arguments that are neither a row's key nor a model's.
WORDS = {
    "app_label": "pipeline",
    "url": "nowhere",
    "content_type_id": "1",
    "vendor": "higgsfield",
    "month": "2026-03",
}


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[tuple[str, str]]:
    """Every route below /admin/ with its name."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if not before or "admin/".startswith(route) or route.startswith("admin/"):
                yield from routes(pattern, route)
        elif isinstance(pattern, URLPattern) and route.startswith("admin/"):
            yield route, pattern.name or ""


def addresses(world: World) -> Iterator[Address]:
    """Every address of the desk, leading to this world's rows."""
    for route, name in routes():
        plain = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route).replace("^", "").replace("$", "")
        model = MODELS.get("/".join(plain.split("/")[1:3]))
        keys = re.findall(r"<(?:\w+:)?(\w+)>", plain)

        def stand_in(found: re.Match[str], model: Any = model, route: str = route) -> str:
            key = found[1]
            if key in WORDS:
                return WORDS[key]
            assert model is not None, f"{route}: say in WORDS what stands for {key}"
            row = world.creator if key == "creator" else world.row(model)
            return str(row.code if key == "code" else row.pk)

        if "view_on_site" in name:
            yield Address(route, name, "/admin/r/1/1/", None, False)
            continue
        path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", stand_in, plain)
        yield Address(route, name, path, model, model is not None and bool(keys))


def every_right(user: User) -> User:
    """Give every right there is but the one to see all creators' rows, to try what scoping alone holds."""
    app, codename = SEES_ALL.split(".")
    user.user_permissions.set(Permission.objects.exclude(content_type__app_label=app, codename=codename))
    return User.objects.get(pk=user.pk)


def member(email: str, *groups: str) -> User:
    """Someone of the staff, in these groups."""
    made = User.objects.create_user(email, is_staff=True)
    made.groups.set(Group.objects.filter(name__in=groups))
    return made


def everything(*, but: tuple[str, ...] = ("sessions", "admin")) -> str:
    """All rows of the database as text, to compare, but for what looking alone writes: sign-ins, and who is looking."""
    wanted = (model for model in _models() if model._meta.app_label not in but)
    rows = itertools.chain.from_iterable(model._base_manager.order_by("pk") for model in wanted)
    told = str(serializers.serialize("json", rows))
    return re.sub(r'"(last_login|claimed_by|claimed_until)": ("[^"]*"|\d+|null)', "", told)


def _models() -> list[type[models.Model]]:
    from django.apps import apps

    return [m for m in apps.get_models() if m._meta.managed and not m._meta.proxy]
