from . import social_crm_stream
from . import social_crm_mention
from . import social_crm_delivery_mixin
