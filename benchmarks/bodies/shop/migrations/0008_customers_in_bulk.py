from django.db import migrations


def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    Customer = apps.get_model("shop", "Customer")
    customers = Customer.objects.in_bulk()
    for order in Order.objects.iterator():
        order.note = customers[order.customer_id].name


class Migration(migrations.Migration):
    dependencies = [("shop", "0007_lists_by_order")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
