"""When a delivery that failed is tried again."""

from datetime import timedelta

from infrastructure.webhooks.schedule import LONGEST, rest


def test_rests_grow_from_seconds_to_a_day_and_end_after_three_days():
    rests = [rest(failures, 0.0) for failures in range(1, 11)]
    assert rests[:3] == [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)]
    assert rests[8:] == [timedelta(hours=24), None]
    given = [one for one in rests if one is not None]
    assert given == sorted(given)
    assert timedelta(days=3) < sum(given, timedelta()) < timedelta(days=4)


def test_chance_makes_rests_longer_by_a_fifth_at_most():
    assert rest(3, 0.5) == timedelta(minutes=33)
    assert rest(3, 1.0) == timedelta(minutes=36)
    assert rest(9, 1.0) == LONGEST
