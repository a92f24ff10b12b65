"""Calendar arithmetic of the points programme: months, and the ends of days and months in a time zone."""

from calendar import monthrange
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from transactional.loyalty.models import DateRounding


def add_months(moment: datetime, months: int) -> datetime:
    """So many months later (or, negative, earlier) at the same hour in UTC; the 31st becomes a shorter month's last."""
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def rounded(moment: datetime, rounding: DateRounding, time_zone: str) -> datetime:
    """The first moment after the day or the month, in `time_zone`, that `moment` lies in."""
    if rounding is DateRounding.NONE:
        return moment
    local = moment.astimezone(ZoneInfo(time_zone))
    if rounding is DateRounding.END_OF_DAY:
        return _start_of(local + timedelta(days=1), moment)
    return _start_of(local + timedelta(days=monthrange(local.year, local.month)[1] - local.day + 1), moment)


def day_of(moment: datetime, time_zone: str) -> tuple[datetime, datetime]:
    """The first moment of the day in `time_zone` that `moment` lies in, and the first after it."""
    local = moment.astimezone(ZoneInfo(time_zone))
    return _start_of(local, moment), _start_of(local + timedelta(days=1), moment)


def _start_of(local: datetime, like: datetime) -> datetime:
    midnight = datetime.combine(local.date(), time(), tzinfo=local.tzinfo)
    return midnight.astimezone(like.tzinfo)
