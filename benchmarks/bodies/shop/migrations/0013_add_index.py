from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0012_add_field")]

    operations = [
        migrations.AddIndex("line", models.Index(fields=["quantity"], name="line_quantity"))
    ]
