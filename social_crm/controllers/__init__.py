from . import oauth
from . import link
from . import webhook
