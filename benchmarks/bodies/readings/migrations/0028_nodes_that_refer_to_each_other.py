from django.db import migrations


class Node:
    def __init__(self, reading):
        self.reading = reading
        self.mirror = None


def mirrored(reading):
    node, mirror = Node(reading), Node(reading)
    node.mirror, mirror.mirror = mirror, node
    return node


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    last = Reading.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for start in range(0, last, 2_000):
        page = Reading.objects.filter(pk__gt=start, pk__lte=start + 2_000)
        nodes = [mirrored(reading) for reading in page]
        assert all(node.mirror.mirror is node for node in nodes)


class Migration(migrations.Migration):
    dependencies = [("readings", "0027_process_pool")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
