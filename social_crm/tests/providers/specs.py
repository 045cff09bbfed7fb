"""Where the descriptions of the networks' APIs lie, which may not be shipped."""

import os
from pathlib import Path

#: Beside the repository; SOCIAL_CRM_SPECS names the folder for a worktree.
SPECS = Path(os.environ.get('SOCIAL_CRM_SPECS') or Path(__file__).parents[4] / 'shared' / 'specs')
