"""Wall time in a zone to UTC and back, with the hours that a clock change takes or repeats."""

from datetime import datetime, time, timedelta

import pytz


class ClockChange(ValueError):
    """A wall time that does not name one moment.

    :param missing: ``True`` when the clock jumps over it, ``False`` when it comes twice
    :param before: the last good wall time ahead of it, as naive time
    :param after: the first good wall time behind it, as naive time
    """

    def __init__(self, missing, before, after):
        super().__init__('missing' if missing else 'double')
        self.missing, self.before, self.after = missing, before, after


def combine(date, hours):
    """Return date and hours (a float, as in Odoo's ``float_time``) as naive wall time."""
    return datetime.combine(date, time()) + timedelta(seconds=round(hours * 3600))


def to_utc(wall, zone):
    """Return the naive UTC time of a naive wall time.

    :raise ClockChange: when there is no such time in that zone, or twice
    """
    zone = pytz.timezone(zone)
    try:
        return zone.localize(wall, is_dst=None).astimezone(pytz.utc).replace(tzinfo=None)
    except pytz.NonExistentTimeError:
        raise ClockChange(True, *_good_around(wall, zone)) from None
    except pytz.AmbiguousTimeError:
        raise ClockChange(False, *_good_around(wall, zone)) from None


def to_wall(moment, zone):
    """Return the naive wall time of a naive UTC time."""
    return pytz.utc.localize(moment).astimezone(pytz.timezone(zone)).replace(tzinfo=None)


def offset(moment, zone):
    """Return a zone's offset at a naive UTC time, as ``+05:30``."""
    text = pytz.utc.localize(moment).astimezone(pytz.timezone(zone)).strftime('%z')
    return f'{text[:3]}:{text[3:]}'


def _good_around(wall, zone):
    before = _next_good(wall, zone, timedelta(minutes=-1))
    return before, _next_good(wall, zone, timedelta(minutes=1))


def _next_good(wall, zone, step):
    wall = wall.replace(second=0)
    for _minute in range(60 * 24 + 1):  # zones have skipped a whole day
        wall += step
        try:
            zone.localize(wall, is_dst=None)
            return wall
        except (pytz.NonExistentTimeError, pytz.AmbiguousTimeError):
            continue
    return wall
