from django.db import migrations


def lower_authors(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, author FROM blog_post")
        for pk, author in cursor.fetchall():
            if not author.islower():
                cursor.execute(
                    "UPDATE blog_post SET author = %s WHERE id = %s", [author.lower(), pk]
                )


class Migration(migrations.Migration):
    dependencies = [("blog", "0005_defer_iterator")]

    operations = [migrations.RunPython(lower_authors, migrations.RunPython.noop)]
