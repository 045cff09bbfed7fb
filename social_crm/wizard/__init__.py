from . import social_crm_connect
from . import social_crm_pick
from . import social_crm_disconnect
from . import social_crm_erase
from . import social_crm_compose
from . import social_crm_compose_send
from . import social_crm_not_lead
from . import social_crm_rule_exchange
