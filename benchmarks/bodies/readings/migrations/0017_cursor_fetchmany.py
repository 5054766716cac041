from django.db import migrations


def forwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, code, value FROM readings_reading")
        while rows := cursor.fetchmany(5000):
            assert rows[0]


class Migration(migrations.Migration):
    dependencies = [("readings", "0016_cursor_fetchall")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
