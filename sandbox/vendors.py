"""Every pretended vendor: one file each, one line here."""

from __future__ import annotations

from collections.abc import Mapping

from .server import Vendor

VENDORS: Mapping[str, Vendor] = {}
