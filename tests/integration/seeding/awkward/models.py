"""Each model is one difficulty, or one family of fields."""

# ruff: noqa: RUF012
from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, UniqueConstraint, Value
from django.db.models.functions import Length, Lower, Now, TruncDate
from django.utils import timezone

from awkward import fields
from awkward.versions import NULLS_EQUAL, check, choosing, db_default


class Level(models.IntegerChoices):
    LOW = 1
    HIGH = 9


def callable_choices():
    return [("a", "A"), ("b", "B")]


class Fields(models.Model):
    """Every built-in field."""

    big = models.BigIntegerField()
    small = models.SmallIntegerField()
    integer = models.IntegerField(null=True)
    positive = models.PositiveIntegerField()
    positive_big = models.PositiveBigIntegerField()
    positive_small = models.PositiveSmallIntegerField()
    floating = models.FloatField()
    decimal = models.DecimalField(max_digits=10, decimal_places=2)
    fraction = models.DecimalField(max_digits=3, decimal_places=3)
    boolean = models.BooleanField()
    maybe = models.BooleanField(null=True)
    char = models.CharField(max_length=255)
    letter = models.CharField(max_length=1)
    text = models.TextField()
    email = models.EmailField()
    slug = models.SlugField()
    url = models.URLField()
    file = models.FileField(upload_to="uploads/%Y/")
    image = models.ImageField(upload_to="images")
    path = models.FilePathField(path="/tmp")
    first_name = models.CharField(max_length=30)
    short_email = models.EmailField(max_length=20)
    phone = models.CharField(max_length=5)
    date = models.DateField()
    moment = models.DateTimeField()
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)
    time = models.TimeField()
    duration = models.DurationField()
    binary = models.BinaryField()
    binary_small = models.BinaryField(max_length=4)
    json = models.JSONField()
    uuid = models.UUIDField(default=uuid.uuid4)
    ip = models.GenericIPAddressField()
    ipv6 = models.GenericIPAddressField(protocol="IPv6")


class SmallKey(models.Model):
    id = models.SmallAutoField(primary_key=True)


class UuidKey(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=20)


class SlugKey(models.Model):
    code = models.SlugField(primary_key=True, max_length=12)


class PlainKey(models.Model):
    number = models.IntegerField(primary_key=True)


class DateKey(models.Model):
    day = models.DateField(primary_key=True)


class DecimalKey(models.Model):
    number = models.DecimalField(primary_key=True, max_digits=6, decimal_places=2)


class Uniques(models.Model):
    integer = models.IntegerField(unique=True)
    small = models.PositiveSmallIntegerField(unique=True)
    char = models.CharField(max_length=64, unique=True)
    short = models.CharField(max_length=4, unique=True)
    text = models.TextField(unique=True)
    email = models.EmailField(unique=True)
    url = models.URLField(unique=True)
    slug = models.SlugField(unique=True)
    uuid = models.UUIDField(unique=True)
    file = models.FileField(unique=True)
    moment = models.DateTimeField(unique=True)
    time = models.TimeField(unique=True)
    duration = models.DurationField(unique=True)
    decimal = models.DecimalField(max_digits=5, decimal_places=3, unique=True)
    large = models.DecimalField(max_digits=20, decimal_places=3, unique=True)
    floating = models.FloatField(unique=True)
    ip = models.GenericIPAddressField(unique=True)
    binary = models.BinaryField(unique=True)
    json = models.JSONField(unique=True)
    flag = models.CharField(max_length=3, unique=True, null=True)


class Grade(models.Model):
    """Room for two rows only, which its children have to share."""

    level = models.IntegerField(choices=Level.choices, unique=True)


class Graded(models.Model):
    grade = models.ForeignKey(Grade, models.CASCADE)


class Together(models.Model):
    owner = models.ForeignKey(UuidKey, models.CASCADE)
    grade = models.ForeignKey(Grade, models.CASCADE)
    kind = models.CharField(max_length=5, choices=[("a", "A"), ("b", "B"), ("c", "C")])
    active = models.BooleanField()

    class Meta:
        unique_together = [("owner", "grade", "kind", "active")]


class Membership(models.Model):
    user = models.ForeignKey(UuidKey, models.CASCADE)
    group = models.ForeignKey(SlugKey, models.CASCADE)

    class Meta:
        constraints = [UniqueConstraint(fields=["user", "group"], name="one_membership")]


class Overlapping(models.Model):
    first = models.ForeignKey(UuidKey, models.CASCADE)
    second = models.ForeignKey(SlugKey, models.CASCADE)
    third = models.ForeignKey(PlainKey, models.CASCADE)

    class Meta:
        unique_together = [("first", "second"), ("second", "third"), ("first", "second", "third")]


class Partly(models.Model):
    """Unique where a condition holds, by what functions return, and with another column."""

    owner = models.ForeignKey(UuidKey, models.CASCADE)
    is_default = models.BooleanField()
    slug = models.SlugField()
    deleted = models.DateTimeField(null=True)
    name = models.CharField(max_length=40)
    label = models.CharField(max_length=40)
    at = models.DateTimeField()
    until = models.DateTimeField()
    sensor = models.ForeignKey(SlugKey, models.CASCADE)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["owner"], condition=Q(is_default=True), name="one_default"),
            UniqueConstraint(fields=["slug"], condition=Q(deleted=None), name="one_alive"),
            UniqueConstraint(Lower("name"), "owner", name="name_lower"),
            UniqueConstraint(Lower("label"), name="label_lower"),
            UniqueConstraint(fields=["sensor", "at"], include=["label"], name="one_value"),
            check(Q(until__gt=F("at")), name="until_after_at"),
            # Without time zones PostgreSQL would not take this one.
            *[UniqueConstraint(TruncDate("at"), "owner", name="one_a_day")][: settings.USE_TZ],
        ]


class NullsEqual(models.Model):
    owner = models.ForeignKey(UuidKey, models.CASCADE, null=True)
    kind = models.ForeignKey(SlugKey, models.CASCADE, null=True)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["owner", "kind"], name="nulls_equal", **NULLS_EQUAL)
        ]


class Profile(models.Model):
    user = models.OneToOneField(UuidKey, models.CASCADE, primary_key=True)
    bio = models.TextField()


class Badge(models.Model):
    profile = models.OneToOneField(Profile, models.CASCADE)
    other = models.OneToOneField(SlugKey, models.SET_NULL, null=True)
    # There are two grades, so most badges have none.
    grade = models.OneToOneField(Grade, models.SET_NULL, null=True)


class Tree(models.Model):
    parent = models.ForeignKey("self", models.CASCADE, null=True)
    root = models.ForeignKey("self", models.CASCADE, related_name="+")
    mirror = models.OneToOneField("self", models.CASCADE, related_name="+")

    class Meta:
        constraints = [check(~Q(parent=F("id")), name="not_own_parent")]


class Shelf(models.Model):
    """How many there can be depends on how many there are."""

    above = models.ForeignKey("self", models.CASCADE, null=True)
    kind = models.CharField(max_length=1, choices=[("a", "A"), ("b", "B")])

    class Meta:
        unique_together = [("above", "kind")]


class Chicken(models.Model):
    egg = models.ForeignKey("Egg", models.CASCADE)


class Egg(models.Model):
    chicken = models.OneToOneField(Chicken, models.CASCADE)


class Tag(models.Model):
    name = models.CharField(max_length=20, unique=True)


class Article(models.Model):
    related = models.ManyToManyField("self")
    cites = models.ManyToManyField("self", symmetrical=False)
    tags = models.ManyToManyField(Tag)
    grades = models.ManyToManyField(Grade)
    members = models.ManyToManyField(UuidKey, through="Authorship")
    writer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)


class Authorship(models.Model):
    article = models.ForeignKey(Article, models.CASCADE)
    author = models.ForeignKey(UuidKey, models.CASCADE)
    role = models.CharField(max_length=10, choices=choosing(callable_choices))

    class Meta:
        unique_together = [("article", "author", "role")]


class Account(models.Model):
    """The swapped user model."""

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS = ()
    login = models.CharField(max_length=150, unique=True)


class Stamped(models.Model):
    created = models.DateTimeField()

    class Meta:
        abstract = True


class Place(Stamped):
    name = models.CharField(max_length=50)
    tags = models.ManyToManyField(Tag)


class Restaurant(Place):
    stars = models.PositiveSmallIntegerField(choices=[(1, "*"), (2, "**")])


class Pizzeria(Restaurant):
    oven = models.OneToOneField(UuidKey, models.CASCADE, null=True)


class Hotel(Place):
    beds = models.PositiveSmallIntegerField()


class Stay(models.Model):
    hotel = models.ForeignKey(Hotel, models.CASCADE)


class CheapPlace(Place):
    class Meta:
        proxy = True


class Visit(models.Model):
    place = models.ForeignKey(CheapPlace, models.CASCADE)
    pizzeria = models.ForeignKey(Pizzeria, models.CASCADE)


class Choosing(models.Model):
    flat = models.CharField(max_length=1, choices=[("", "none"), ("x", "X"), ("y", "Y")])
    grouped = models.IntegerField(choices=[("G", [(1, "one"), (2, "two")]), (3, "three")])
    called = models.CharField(max_length=1, choices=choosing(callable_choices))
    level = models.IntegerField(choices=choosing(Level))
    day = models.DateField(choices=[(dt.date(2020, 2, 29), "leap")])
    amount = models.DecimalField(max_digits=4, decimal_places=1, choices=[(Decimal("1.5"), "")])
    i = models.IntegerField(db_column="select")
    t = models.CharField(max_length=20, db_column="an odd 'column'")
    series = models.ForeignKey(SlugKey, models.CASCADE, db_column="group")

    class Meta:
        db_table = "\"an odd 'table', quoted\""


class Defaults(models.Model):
    created = models.DateTimeField(**db_default(Now(), timezone.now))
    count = models.IntegerField(**db_default(0, 0))
    total = models.IntegerField(default=0)
    note = models.TextField(blank=True)
    maybe = models.TextField(null=True)
    code = models.SlugField(unique=True, null=True)
    owner = models.ForeignKey(UuidKey, models.CASCADE, null=True)
    token = models.UUIDField(default=uuid.uuid4)


class Checked(models.Model):
    percent = models.IntegerField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    status = models.CharField(max_length=10)
    code = models.CharField(max_length=20)
    since = models.DateField()
    number = models.IntegerField(unique=True)
    letters = models.CharField(max_length=20, unique=True)
    prefix = models.CharField(max_length=30, unique=True)
    flag = models.BooleanField()
    negative = models.FloatField(null=True)
    exact = models.CharField(max_length=64)
    text = models.TextField()
    rate = models.FloatField(validators=[MinValueValidator(-1.0), MaxValueValidator(-0.5)])
    share = models.IntegerField(validators=[MinValueValidator(0), MaxValueValidator(100)])

    class Meta:
        constraints = [
            check(Q(percent__range=(90, 93)), name="percent"),
            check(Q(price__gt=500_000, price__lte=500_001), name="price"),
            check(Q(status__in=["new", "old"]), name="status"),
            check(Q(code__startswith="INV-"), name="code"),
            check(Q(since__gt=dt.date(2030, 1, 1)), name="since"),
            check(Q(number__gte=5_000_000), name="number"),
            check(Q(letters=models.functions.Upper("letters")), name="upper"),
            check(Q(prefix__startswith="No. "), name="prefix"),
            check(Q(flag=True), name="flag"),
            check(Q(negative__lt=0), name="negative"),
            check(models.lookups.Exact(Length("exact"), Value(40)), name="exact_length"),
            check(models.lookups.GreaterThan(Length("text"), 500), name="long_text"),
        ]


class Between(models.Model):
    low = models.IntegerField()
    middle = models.IntegerField()
    high = models.IntegerField()
    kind = models.CharField(max_length=1, choices=[("a", "A"), ("b", "B")])
    only_a = models.TextField(null=True)
    number = models.PositiveSmallIntegerField(unique=True)
    position = models.IntegerField(unique=True)
    last = models.IntegerField()
    user = models.ForeignKey(UuidKey, models.CASCADE, null=True)
    group = models.ForeignKey(SlugKey, models.CASCADE, null=True)

    class Meta:
        constraints = [
            check(Q(low__lt=F("middle")) & Q(middle__lt=F("high")), name="ordered"),
            check(Q(kind="a", only_a__isnull=False) | Q(kind="b", only_a=None), name="kind_a"),
            check(Q(last__gte=F("position")), name="last_is_last"),
            check(
                Q(user__isnull=True, group__isnull=False)
                | Q(user__isnull=False, group__isnull=True),
                name="either_or",
            ),
        ]


class Follow(models.Model):
    follower = models.ForeignKey(UuidKey, models.CASCADE, related_name="+")
    followed = models.ForeignKey(UuidKey, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            UniqueConstraint(fields=["follower", "followed"], name="follow_once"),
            check(~Q(follower=F("followed")), name="not_oneself"),
        ]


class Customs(models.Model):
    trimmed = fields.Trimmed(max_length=30, unique=True)
    encoded = fields.Encoded()
    secret = fields.Encoded(unique=True)
    money = fields.MoneyField()
    serial = fields.MoneyField(unique=True)
    color = fields.ColorField(max_length=10, default=fields.Color("red"))
    chosen = fields.ColorField(max_length=10, choices=[("red", "R"), ("blue", "B")])
    bits = fields.Bits(default="101")
    packed = fields.PackedAddress()
    span = fields.Span(default="1-4094")


class Referring(models.Model):
    uuid = models.ForeignKey(UuidKey, models.CASCADE)
    slug = models.ForeignKey(SlugKey, models.CASCADE)
    plain = models.ForeignKey(PlainKey, models.PROTECT)
    day = models.ForeignKey(DateKey, models.CASCADE)
    number = models.ForeignKey(DecimalKey, models.CASCADE)
    shelf = models.ForeignKey(Shelf, models.CASCADE)
    name = models.ForeignKey(Uniques, models.CASCADE, to_field="char", db_column="weird col")
    ip = models.ForeignKey(Uniques, models.CASCADE, to_field="ip", null=True, related_name="+")
    custom = models.ForeignKey(Customs, models.CASCADE, to_field="secret")


# What cannot be


class TooNarrow(models.Model):
    active = models.BooleanField()
    kind = models.CharField(max_length=1, choices=[("a", "A"), ("b", "B")])

    class Meta:
        unique_together = [("active", "kind")]


class Impossible(models.Model):
    number = models.IntegerField()

    class Meta:
        constraints = [check(Q(number__gt=5) & Q(number__lt=5), name="never_true")]


class Unloadable(models.Model):
    sealed = fields.Sealed()


class Limited(models.Model):
    """The check's end comes after the rows that are tried."""

    number = models.IntegerField(unique=True)

    class Meta:
        constraints = [check(Q(number__lte=1200), name="limited")]


class Absent(models.Model):
    """Nobody has made its table."""

    class Meta:
        managed = False
