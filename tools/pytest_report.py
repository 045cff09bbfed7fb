"""A pytest plug-in that leaves the counts of a run in a file, for `./dev test` to add up."""

import json
import os
from pathlib import Path


def pytest_terminal_summary(terminalreporter):
    stats = terminalreporter.stats
    counts = {
        'passed': len(stats.get('passed', ())),
        'failed': len(stats.get('failed', ())) + len(stats.get('error', ())),
        'skipped': len(stats.get('skipped', ())),
    }
    if target := os.environ.get('SOCIAL_CRM_TEST_REPORT'):
        Path(target).write_text(json.dumps(counts))
