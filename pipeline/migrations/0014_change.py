from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('pipeline', '0013_holder'),
    ]

    operations = [
        migrations.AddField(
            model_name='review',
            name='change',
            field=models.JSONField(blank=True, default=dict, verbose_name='change'),
        ),
    ]
