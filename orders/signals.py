"""News that goes up: apps above listen, this one does not know who.

Receivers get the row's id, never the row: whoever hears reads the truth from the database. All are sent inside the
transaction that made them true, so a receiver's writes stand or fall with them.
"""

from django.dispatch import Signal

photo_uploaded = Signal()  # photo_id
order_placed = Signal()  # order_id
order_cancelled = Signal()  # order_id
