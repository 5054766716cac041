from django.db import migrations


def lower_authors(apps, schema_editor):
    Post = apps.get_model("blog", "Post")
    for post in Post.objects.all():
        if not post.author.islower():
            post.author = post.author.lower()
            post.save(update_fields=["author"])


class Migration(migrations.Migration):
    dependencies = [("blog", "0001_initial")]

    operations = [migrations.RunPython(lower_authors, migrations.RunPython.noop)]
