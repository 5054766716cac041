from multiprocessing import get_context

from django.db import connections, migrations


def start_process(model):
    global Reading
    Reading = model
    connections.close_all()


def sum_up(keys):
    readings = Reading.objects.filter(pk__gte=keys[0], pk__lte=keys[1])
    return sum(reading.value for reading in list(readings))


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    keys = list(Reading.objects.order_by("pk").values_list("pk", flat=True))
    # A child that closes an inherited connection also ends the parent's session on the server.
    connections.close_all()
    chunks = [(keys[i], keys[min(i + 50_000, len(keys)) - 1]) for i in range(0, len(keys), 50_000)]
    with get_context("fork").Pool(2, start_process, [Reading]) as pool:
        sums = pool.map(sum_up, chunks, chunksize=1)
        pool.close()
        pool.join()
    assert sums or not keys


class Migration(migrations.Migration):
    # The children have connections of their own.
    atomic = False

    dependencies = [("readings", "0026_slow_chunks_of_100_000")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
