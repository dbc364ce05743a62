"""The demo's group of reviewers becomes the role of creators; its rights follow from `accounts.roles`."""

from django.db import migrations


def rename(apps, schema_editor):
    Group = apps.get_model("auth", "Group")
    if not Group.objects.filter(name="creator").exists():
        Group.objects.filter(name="Creators").update(name="creator")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_audit"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(rename, migrations.RunPython.noop)]
