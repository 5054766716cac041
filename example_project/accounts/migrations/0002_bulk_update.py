from django.db import migrations


def upper_usernames(apps, schema_editor):
    User = apps.get_model("accounts", "User")
    users = list(User.objects.all())
    for user in users:
        user.username = user.username.upper()
    User.objects.bulk_update(users, ["username"], batch_size=1000)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunPython(upper_usernames, migrations.RunPython.noop)]
