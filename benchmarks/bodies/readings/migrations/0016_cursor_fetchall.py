from django.db import migrations


def forwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, code, value FROM readings_reading")
        for _pk, code, _value in cursor.fetchall():
            assert code


class Migration(migrations.Migration):
    dependencies = [("readings", "0015_keys_of_one_in_twenty")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
