from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0013_add_index")]

    operations = [migrations.AlterField("line", "quantity", models.BigIntegerField())]
