"""News that goes up: apps above listen. Sent inside the transaction that made them true; they carry an id only."""

from django.dispatch import Signal

refund_moved = Signal()  # refund_id: begun, sent, done or failed
payment_rang = Signal()  # payment_id: a gateway said that something about it has changed
money_due = Signal()  # order_id: its money is to be brought to where the order ended
