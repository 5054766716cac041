from django.db import models


class Parcel(models.Model):
    code = models.CharField(max_length=20, unique=True)
    recipient = models.CharField(max_length=100)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    depth = models.PositiveSmallIntegerField()
    volume = models.PositiveBigIntegerField(null=True)

    def __str__(self):
        return self.code
