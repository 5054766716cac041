from django.db import models


class Reading(models.Model):
    """Narrow: what a sensor sent."""

    sensor = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=12)
    value = models.FloatField()
    total = models.FloatField(null=True)
