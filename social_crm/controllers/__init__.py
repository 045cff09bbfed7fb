from . import oauth
from . import link
