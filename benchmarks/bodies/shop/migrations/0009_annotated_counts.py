from django.db import migrations
from django.db.models import Count


def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    orders = list(Order.objects.annotate(found=Count("lines")))
    assert len(orders) == Order.objects.count()


class Migration(migrations.Migration):
    dependencies = [("shop", "0008_customers_in_bulk")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
