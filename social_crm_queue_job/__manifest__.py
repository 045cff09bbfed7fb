{
    'name': 'Social CRM: Job Queue',
    'summary': 'Several workers and machines receive, act and send together',
    'version': '19.0.1.0.0',
    'category': 'Sales/CRM',
    'author': 'social_crm contributors',
    'license': 'AGPL-3',
    'depends': ['social_crm', 'queue_job'],
    'data': ['data/queue_job_function_data.xml'],
    'auto_install': True,
}
