"""Workers that help a scheduled action when more waits than it can do at once."""

MOST = 8  # jobs asked for at a time; how many run at once, the channel's capacity says


def call_helpers(model, method, waiting, batch):
    """Queue a job for each batch that waits beyond the first one, and commit.

    A helper that still waits to be run is not asked for again.

    :param method: name of the model's method that a job runs
    :param waiting: number of things to do now
    :param batch: how many of them one worker has in hand at a time
    """
    for number in range(min((waiting - 1) // batch, MOST)):
        key = f'{model._name}.{method} {number}'
        getattr(model.with_delay(identity_key=key), method)()
    model.env['ir.cron']._commit_progress()
