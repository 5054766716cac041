from multiprocessing import get_context

from django.db import NotSupportedError, connections, migrations

CHUNK = 1000
PROCESSES = 4


def upper_chunk(chunk):
    users = list(User.objects.filter(pk__in=chunk))
    for user in users:
        user.username = user.username.upper()
    User.objects.bulk_update(users, ["username"])


def start_process(model):
    global User
    User = model
    connections.close_all()


def upper_usernames(apps, schema_editor):
    connection = schema_editor.connection
    User = apps.get_model("accounts", "User")
    keys = list(User.objects.order_by("pk").values_list("pk", flat=True))
    if not keys:
        return
    if connection.vendor == "sqlite":
        raise NotSupportedError("SQLite lets one process write at a time: run this on PostgreSQL.")
    chunks = [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]
    # A child that closes an inherited connection also ends the parent's session on the server.
    connection.close()
    # Forked children need no pickled model, and historical models have no importable name.
    with get_context("fork").Pool(PROCESSES, start_process, [User]) as pool:
        pool.map(upper_chunk, chunks, chunksize=1)
        # Leaving the block only terminates the processes, wherever they are.
        pool.close()
        pool.join()


class Migration(migrations.Migration):
    # Each process commits its own chunks.
    atomic = False

    dependencies = [("accounts", "0002_bulk_update")]

    operations = [migrations.RunPython(upper_usernames, migrations.RunPython.noop)]
