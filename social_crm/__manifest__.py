{
    'name': 'Social CRM',
    'summary': 'Listen on social networks, answer from the CRM, turn mentions into leads and tickets',
    'version': '19.0.1.0.0',
    'category': 'Sales/CRM',
    'author': 'social_crm contributors',
    'license': 'AGPL-3',
    'depends': ['crm', 'utm', 'link_tracker', 'base_automation', 'bus', 'helpdesk_mgmt'],
    'external_dependencies': {
        'python': ['requests', 'oauthlib', 'cryptography', 'vaderSentiment', 'py3langid'],
    },
    'data': [
        'security/social_crm_groups.xml',
        'security/ir.model.access.csv',
        'security/social_crm_rules.xml',
        'data/ir_cron_data.xml',
        'data/mail_activity_type_data.xml',
        'data/helpdesk_ticket_channel_data.xml',
    ],
    'application': True,
}
