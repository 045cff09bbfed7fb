"""Small helpers without state."""

from datetime import timezone

from psycopg2 import sql


def naive(moment):
    """Return an aware time as naive UTC, as the ORM wants it; ``False`` for none."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None) if moment else False


def aware(moment):
    """Return a naive UTC time of the ORM as aware UTC; ``None`` for none."""
    return moment.replace(tzinfo=timezone.utc) if moment else None


def clean(text, length):
    """Return inbound text without what PostgreSQL refuses, cut to ``length`` characters."""
    return (text or '').replace('\x00', '')[:length]


def insert_skip_known(model, rows, returning=('id',)):
    """Insert many rows in one statement; rows that break a unique index are skipped.

    For inbound data only: no ORM hook runs. Twice as fast as the ORM, and the only way to skip
    what another worker has just added.

    :param model: an empty recordset of the model; its user is noted as creator
    :param list rows: dictionaries with the same keys, names of stored fields
    :return: list of tuples of the columns in ``returning``, of the rows really added
    """
    columns = list(rows[0])
    convert = [model._fields[name].convert_to_column_insert for name in columns]
    now, uid = model.env.cr.now(), model.env.uid
    values = [
        (*(to_column(row[name], model) for to_column, name in zip(convert, columns)), uid, now, uid, now)
        for row in rows
    ]
    names = [*columns, 'create_uid', 'create_date', 'write_uid', 'write_date']
    query = sql.SQL('INSERT INTO {} ({}) VALUES %s ON CONFLICT DO NOTHING RETURNING {}').format(
        sql.Identifier(model._table), _identifiers(names), _identifiers(returning),
    )
    return model.env.cr.execute_values(query, values, page_size=1000, fetch=True)


def _identifiers(names):
    return sql.SQL(', ').join(map(sql.Identifier, names))
