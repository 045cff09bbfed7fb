{
    'name': 'Social CRM: Bills of Campaigns',
    'summary': 'The campaign of a vendor bill can be chosen, and its cost counts',
    'version': '19.0.1.0.0',
    'category': 'Sales/CRM',
    'author': 'social_crm contributors',
    'license': 'AGPL-3',
    'depends': ['social_crm', 'sale'],
    'data': ['views/account_move_views.xml'],
    'auto_install': True,
}
