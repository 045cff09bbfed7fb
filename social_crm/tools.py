"""Small helpers without state."""

import json
import logging
import re
import time
from datetime import timedelta, timezone
from urllib.parse import quote

import psycopg2.errors

from odoo.tools import SQL
from odoo.tools.misc import clean_context, limited_field_access_token

_logger = logging.getLogger(__name__)

_TURNING = re.compile('[\u202a-\u202e\u2066-\u2069]')
CLOCK_SLACK = timedelta(minutes=5)  # by which the clocks of several servers may differ
PUBLIC_HOURS = 24  # as long as a network keeps what it fetched for a post that is not out yet


def naive(moment):
    """Return an aware time as naive UTC, as the ORM wants it; ``False`` for none."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None) if moment else False


def aware(moment):
    """Return a naive UTC time of the ORM as aware UTC; ``None`` for none."""
    return moment.replace(tzinfo=timezone.utc) if moment else None


def clean(text, length):
    """Return inbound text without what PostgreSQL refuses, cut to ``length`` characters."""
    return (text or '').replace('\x00', '')[:length]


def clean_name(text, length):
    """Return an inbound name in one line, cut to ``length`` characters.

    Marks that turn the direction of writing would reach into what stands behind the name.
    """
    return ' '.join(_TURNING.sub('', clean(text, length)).split())


def is_web(url):
    """Return whether a browser may be led to an inbound address: it runs no script."""
    return isinstance(url, str) and url.lower().startswith(('https://', 'http://'))


def clean_url(url, length):
    """Return an inbound address, cut to ``length`` characters; empty for any but a web address."""
    return clean(url, length) if is_web(url) else ''


def public_url(attachment):
    """Return an address at which anybody may read a file for a day.

    For networks that fetch files themselves. It cannot be guessed, names this file alone and ends
    by itself; nothing is stored.
    """
    until = hex(int(time.time()) + PUBLIC_HOURS * 3600)
    token = limited_field_access_token(attachment, 'raw', until, scope='binary')
    name = quote(attachment.name or 'file', safe='')
    return f'{attachment.get_base_url()}/web/content/{attachment.id}/{name}?access_token={token}'


def excerpt(text, length):
    """Return the beginning of a text as one line, cut between words."""
    line = ' '.join((text or '').split())
    if len(line) <= length:
        return line
    return line[:length].rsplit(' ', 1)[0].rstrip('.,;:!?…') + '…'


def claim(model, chosen, values):
    """Set values on the rows that a query chooses, and return those records; for loops only.

    By SQL, as nobody has changed the records: neither author nor date of the last change move.
    They stay locked until the end of the transaction.

    :param model: an empty recordset of the model
    :param SQL chosen: query of ids that ends in LIMIT and FOR NO KEY UPDATE SKIP LOCKED
    :param SQL values: what to set, as after SET; the row is ``t``
    :raise psycopg2.errors.SerializationFailure: when another worker has just taken one of them;
        not logged, as the loops expect it and try again
    """
    model.env.flush_all()
    model.env.cr.execute(
        SQL(
            # Chosen once, apart: a plan may ask a subquery again for each row, and take more.
            """WITH chosen AS MATERIALIZED (%s)
               UPDATE %s t SET %s FROM chosen WHERE t.id = chosen.id RETURNING t.id""",
            chosen,
            SQL.identifier(model._table),
            values,
        ),
        log_exceptions=False,
    )
    ids = sorted(row[0] for row in model.env.cr.fetchall())
    if ids:
        model.env.invalidate_all()
    return model.browse(ids)


def first_line(text, length):
    """Return the first line of a text, cut between words; ``''`` where it has none."""
    return excerpt(next(iter((text or '').strip().splitlines()), ''), length)


def without_defaults(model):
    """Return a model in whose context no defaults are: they come from anybody, in a request."""
    # pylint: disable-next=context-overridden
    return model.with_context(clean_context(model.env.context))


def take_marked(model, mark, limit):
    """Take the mark off the first marked records that no other worker has locked; return them.

    :param model: an empty recordset of the model
    :param str mark: name of a stored boolean field
    :raise psycopg2.errors.SerializationFailure: as :func:`claim` does
    """
    column = SQL.identifier(mark)
    chosen = SQL(
        'SELECT id FROM %s WHERE %s ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED',
        SQL.identifier(model._table),
        column,
        limit,
    )
    return claim(model, chosen, SQL('%s = FALSE', column))


def each_committed(records, step):
    """Do something for each record, committed; one that fails stops no other. For loops only.

    Ends early when the time of the run is over.

    :param step: called with each record
    """
    cron = records.env['ir.cron']
    for index, record in enumerate(records, start=1):
        try:
            step(record)
            cron._commit_progress()
        except psycopg2.errors.SerializationFailure:  # another loop had it: the next time
            records.env.cr.rollback()
        except Exception:
            records.env.cr.rollback()
            _logger.exception('%s is left out of this run', record)
        if not cron._commit_progress(1, remaining=len(records) - index):
            return


def insert_skip_known(model, rows, returning=('id',)):
    """Insert many rows in one statement; rows that break a unique index are skipped.

    For inbound data only: no ORM hook runs. Twice as fast as the ORM, and the only way to skip
    what another worker has just added.

    :param model: an empty recordset of the model; its user is noted as creator
    :param list rows: dictionaries of column values, all with the same keys
    :return: list of tuples of the columns in ``returning``, of the rows really added
    """
    now, user = model.env.cr.now(), model.env.uid
    same = {'create_uid': user, 'create_date': now, 'write_uid': user, 'write_date': now}
    first, *others = rows
    _key, *rest = first  # at least one column has to come from the rows
    same |= {name: first[name] for name in rest if all(row[name] == first[name] for row in others)}
    names = [name for name in first if name not in same]
    values = [SQL.identifier(name) for name in names]
    values += [SQL('%s::%s', _column(value), _type(model, name)) for name, value in same.items()]
    query = SQL(
        'INSERT INTO %s (%s) SELECT %s FROM jsonb_to_recordset(%s) AS row(%s) '
        'ON CONFLICT DO NOTHING RETURNING %s',
        SQL.identifier(model._table),
        _identifiers([*names, *same]),
        SQL(', ').join(values),
        # One document: the database takes it apart faster than psycopg2 puts many values together.
        json.dumps([{name: row[name] for name in names} for row in rows], default=str),
        SQL(', ').join(SQL('%s %s', SQL.identifier(name), _type(model, name)) for name in names),
        _identifiers(returning),
    )
    model.env.cr.execute(query)
    return model.env.cr.fetchall()


def _type(model, name):
    return SQL(model._fields[name].column_type[1])


def _column(value):
    return json.dumps(value) if isinstance(value, (list, dict)) else value


def _identifiers(names):
    return SQL(', ').join(map(SQL.identifier, names))


class RareLog:
    """A logger for what strangers can cause: one line a minute per key, with a count of the rest.

    The keys must come from a small fixed set.
    """

    SECONDS = 60

    def __init__(self, logger):
        self._logger = logger
        self._lines = {}  # key -> when to write again, and how many were left out

    def info(self, key, message, *args):
        """Write the line, unless one with the same key was written within the last minute."""
        now = time.monotonic()
        due, left_out = self._lines.get(key, (0, 0))
        if now < due:
            self._lines[key] = (due, left_out + 1)
            return
        if left_out:
            message, args = f'{message} (and %s more like this)', (*args, left_out)
        self._logger.info(message, *args)
        self._lines[key] = (now + self.SECONDS, 0)
