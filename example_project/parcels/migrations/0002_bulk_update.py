from django.db import migrations


def compute_volumes(apps, schema_editor):
    Parcel = apps.get_model("parcels", "Parcel")
    parcels = Parcel.objects.all()
    for parcel in parcels:
        parcel.volume = parcel.width * parcel.height * parcel.depth
    Parcel.objects.bulk_update(parcels, ["volume"])


class Migration(migrations.Migration):
    dependencies = [("parcels", "0001_initial")]

    operations = [migrations.RunPython(compute_volumes, migrations.RunPython.noop)]
