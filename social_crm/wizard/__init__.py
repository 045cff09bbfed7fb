from . import social_crm_connect
