from . import oauth
from . import link
from . import webhook
from . import bluesky
