"""Whose rows someone sees on the desk: staff see everybody's, a creator only their own, anyone else none.

Every class of the desk says in `whose` how its rows belong to a creator; one that does not is closed to creators.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.contrib.admin.filters import RelatedFieldListFilter
from django.contrib.admin.options import BaseModelAdmin
from django.db.models import ForeignKey, ManyToManyField, Model, QuerySet
from django.http import HttpRequest

from .paging import LongPaginator

# Rows that no creator sees, whatever rights they were given.
STAFF: Final = None
# The rows are the creators themselves.
SELF: Final = ""
# Who has it sees every creator's rows; which of them, and what may be done, other rights say.
SEES_ALL: Final = "accounts.see_every_creator"


def sees_all(user: Any) -> bool:
    """Whether the rows of all creators are theirs to see, as far as their other rights go."""
    return bool(user.is_active and user.is_staff and (user.is_superuser or user.has_perm(SEES_ALL)))


def owned(rows: QuerySet[Any], user: Any, whose: str | None) -> QuerySet[Any]:
    """Those of the rows that are this person's to see; `whose` leads from a row to its creator."""
    if sees_all(user):
        return rows
    if whose is STAFF or not user.is_authenticated:
        return rows.none()
    return rows.filter(**{f"{whose}__user" if whose else "user": user.pk})


class OwnChoices(RelatedFieldListFilter):
    """A filter by a relation that offers only what one may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The stock choices, as far as the related rows are one's own."""
        ordering = self.field_admin_ordering(field, request, model_admin)
        if sees_all(request.user):
            return list(field.get_choices(include_blank=False, ordering=ordering))
        mine = reachable(model_admin, field.remote_field.model, request).values("pk")
        return list(field.get_choices(include_blank=False, ordering=ordering, limit_choices_to={"pk__in": mine}))


def reachable(model_admin: Any, model: type[Model], request: HttpRequest) -> QuerySet[Any]:
    """The rows of another model that one may see on the same desk: none where it is not registered there."""
    if sees_all(request.user):
        return model._default_manager.all()
    other = model_admin.admin_site._registry.get(model)
    if other is None or not getattr(other, "has_view_permission", lambda request: False)(request):
        return model._default_manager.none()
    rows: QuerySet[Any] = other.get_queryset(request)
    return rows


class Scoped(BaseModelAdmin[Any]):
    """Shows a creator their own rows only: in lists, forms' choices, autocompletes, actions, filters and history.

    Mixed into every class of the desk, inlines as well. All of Django's views go through `get_queryset`; what does
    not is closed here. A creator never adds or deletes a row by hand.
    """

    # Lists grow for ever: nobody waits for all of their rows to be counted.
    paginator: ClassVar[Any] = LongPaginator
    show_full_result_count = False
    whose: ClassVar[str | None] = STAFF
    # What a creator sees of it, where that is less than what staff see: empty for the same.
    own_list_display: ClassVar[tuple[str, ...]] = ()
    own_list_filter: ClassVar[tuple[Any, ...]] = ()
    own_search_fields: ClassVar[tuple[str, ...]] = ()
    own_fields: ClassVar[tuple[str, ...]] = ()
    own_inlines: ClassVar[tuple[type[Any], ...] | None] = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows one may see."""
        return self._mine(super().get_queryset(request), request)

    def own_rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Which of a creator's own rows the creator sees: all, unless a class knows better."""
        return rows

    def _mine(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        return rows if sees_all(request.user) else self.own_rows(owned(rows, request.user, self.whose))

    def get_field_queryset(self, db: Any, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        """What a form offers for a relation: only what one may see."""
        rows = super().get_field_queryset(db, db_field, request)
        if sees_all(request.user) or not isinstance(db_field, ForeignKey | ManyToManyField):
            return rows
        return reachable(self, db_field.remote_field.model, request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Staff's rows are not mentioned to creators."""
        return self._open(request) and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The right to see, and the row being one's own."""
        return self._open(request, obj) and super().has_view_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The right to change, and the row being one's own."""
        return self._open(request, obj) and super().has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Staff only: a creator's rows come from verbs."""
        return sees_all(request.user) and super().has_add_permission(request, *args)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff only."""
        return sees_all(request.user) and super().has_delete_permission(request, obj)

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns, for a creator maybe fewer."""
        fewer = () if sees_all(request.user) else self.own_list_display
        return fewer or super().get_list_display(request)  # type: ignore[misc]

    def get_list_filter(self, request: HttpRequest) -> Any:
        """The filters; those by a relation offer only what one may see."""
        fewer = () if sees_all(request.user) else self.own_list_filter
        return [self._own(one) for one in fewer or super().get_list_filter(request)]  # type: ignore[misc]

    def get_search_fields(self, request: HttpRequest) -> Any:
        """What the search looks through, for a creator maybe less."""
        fewer = () if sees_all(request.user) else self.own_search_fields
        return fewer or super().get_search_fields(request)  # type: ignore[misc]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fields of a row, for a creator maybe fewer."""
        fewer = () if sees_all(request.user) else self.own_fields
        return fewer or super().get_fields(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The groups of fields; a creator who sees fewer sees them in one."""
        if self.own_fields and not sees_all(request.user):
            return [(None, {"fields": self.own_fields})]
        return super().get_fieldsets(request, obj)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """The rows below a row, for a creator maybe fewer."""
        if self.own_inlines is not None and not sees_all(request.user):
            return self.own_inlines
        return super().get_inlines(request, obj)

    def _open(self, request: HttpRequest, obj: Any = None) -> bool:
        if sees_all(request.user):
            return True
        if self.whose is STAFF:
            return False
        # An inline is asked about the row it stands below: that one has its own class.
        known = isinstance(obj, self.model) and obj.pk is not None
        return not known or self._mine(self.model._default_manager.filter(pk=obj.pk), request).exists()

    def _own(self, one: Any) -> Any:
        if not isinstance(one, str):
            return one
        try:
            field: Any = self.model._meta
            for part in one.split("__"):
                field = (field if hasattr(field, "get_field") else field.remote_field.model._meta).get_field(part)
        except (AttributeError, LookupError):
            return one
        return (one, OwnChoices) if isinstance(field, ForeignKey | ManyToManyField) else one
