from django.core.paginator import Paginator
from django.db import migrations


def compute_volumes(apps, schema_editor):
    Parcel = apps.get_model("parcels", "Parcel")
    # Without an order the pages could overlap; orphans saves a last page of a few rows.
    for page in Paginator(Parcel.objects.order_by("pk"), per_page=1000, orphans=400):
        for parcel in page:
            parcel.volume = parcel.width * parcel.height * parcel.depth
        Parcel.objects.bulk_update(page, ["volume"])


class Migration(migrations.Migration):
    dependencies = [("parcels", "0002_bulk_update")]

    operations = [migrations.RunPython(compute_volumes, migrations.RunPython.noop)]
