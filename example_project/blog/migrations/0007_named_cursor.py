from django.db import migrations


def posts_cursor(connection):
    if connection.vendor == "postgresql":
        # Named, so it stays on the server; an unnamed one hands over all rows at once.
        return connection.connection.cursor(name="posts")
    return connection.cursor()


def lower_authors(apps, schema_editor):
    connection = schema_editor.connection
    with posts_cursor(connection) as posts, connection.cursor() as cursor:
        posts.execute("SELECT id, author FROM blog_post")
        while rows := posts.fetchmany(5000):
            for pk, author in rows:
                if not author.islower():
                    cursor.execute(
                        "UPDATE blog_post SET author = %s WHERE id = %s", [author.lower(), pk]
                    )


class Migration(migrations.Migration):
    dependencies = [("blog", "0006_cursor_fetchall")]

    operations = [migrations.RunPython(lower_authors, migrations.RunPython.noop)]
