from . import social_crm_hourly_mixin
from . import social_crm_mention_hourly
from . import social_crm_rule_hourly
from . import social_crm_report_mixin
from . import social_crm_campaign_report
from . import social_crm_touch_report
from . import social_crm_dashboard
