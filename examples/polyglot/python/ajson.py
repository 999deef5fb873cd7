"""JSON with tagged objects: sets, tuples, decimals and datetimes, as Algernon's workers exchange them."""

import json
from datetime import datetime, timezone
from decimal import Decimal


def dumps(value):
    return json.dumps(value, default=_tag)


def loads(text):
    return json.loads(text, object_hook=_untag)


def _tag(value):
    if isinstance(value, (set, frozenset)):
        return {"_alg_class": type(value).__name__, "value": list(value)}
    if isinstance(value, Decimal):
        return {"_alg_class": "decimal", "value": str(value)}
    if isinstance(value, datetime) and value.tzinfo:
        return {"_alg_class": "datetime", "value": {"tz": "UTC", "timestamp": value.timestamp()}}
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _datetime(value):
    if value["tz"] != "UTC":
        raise ValueError(f"a datetime must be in UTC, not {value['tz']}")
    return datetime.fromtimestamp(value["timestamp"], timezone.utc)


_builders = {"set": set, "frozenset": frozenset, "tuple": tuple, "decimal": Decimal, "datetime": _datetime}


def _untag(fields):
    build = _builders.get(fields.get("_alg_class"))
    return build(fields["value"]) if build else fields
