from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0011_delete_orders_and_their_lines")]

    operations = [
        migrations.AddField(
            "line", "price", models.DecimalField(max_digits=10, decimal_places=2, default=0)
        )
    ]
