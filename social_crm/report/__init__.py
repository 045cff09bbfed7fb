from . import social_crm_hourly_mixin
from . import social_crm_mention_hourly
from . import social_crm_rule_hourly
