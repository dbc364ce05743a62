"""What the desk's classes share: rows to be read only, changes asked twice, searches and filters that use an index."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .recent import ask, recently
from .scoping import Scoped


class ReadOnly(Scoped, admin.ModelAdmin[Any]):
    """Rows that only verbs and the engine write. The latest come first, by their key, which always has an index."""

    ordering: ClassVar[Any] = ("-pk",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes one by hand."""
        return False


class RecentChanges(admin.ModelAdmin[Any]):
    """Whoever may change rows of this class is asked who they are before they do; to be mixed in before `Scoped`."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The page of one row: to be read by anyone who may, to be changed by who is recent."""
        may = self.has_change_permission(request) or self.has_add_permission(request)
        if may and not recently(request):
            return ask(request)
        return super().changeform_view(request, object_id, form_url, extra_context)


class Finds(admin.ModelAdmin[Any]):
    """Searches for whole codes, keys and addresses, one index after the other, instead of reading the whole table.

    `finds` are the paths from a row to what may be typed; a class mixes this in before `Scoped`.
    """

    finds: ClassVar[tuple[str, ...]] = ()
    search_help_text = _("A whole code, key or id.")
    # More rows than a person would look through.
    most_found: ClassVar[int] = 500

    def get_search_fields(self, request: HttpRequest) -> Any:
        """What makes the search box appear; a creator's own fields, where a class has such, stay as they are."""
        return tuple(super().get_search_fields(request)) or self.finds

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that have exactly this, in capitals or as it was typed."""
        term = search_term.strip()
        if not term:
            return queryset, False
        keys: set[Any] = set()
        for path in self.finds:
            for said in {term, term.upper(), term.lower()}:
                found = self.model._default_manager.filter(**{path: said}).order_by()
                keys.update(found.values_list("pk", flat=True)[: self.most_found])
        return queryset.filter(pk__in=keys), False


def known(
    title_: str | Promise, field: str, values: Callable[[], Iterable[tuple[str, str | Promise]]]
) -> type[admin.SimpleListFilter]:
    """A filter whose words are known: the stock one reads the whole table to learn them."""

    class Known(admin.SimpleListFilter):
        title = title_  # type: ignore[assignment]
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
            return list(values())

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return Known
