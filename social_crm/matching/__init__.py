"""Who somebody is: names as people write them, addresses in what they write, and whether a profile
is a contact's. No Odoo in here."""

from .companies import company_name, split_name
from .details import emails, phones, stated_emails
from .handles import read_handle
from .names import person_name
from .score import LINK, SUGGEST, Crowd, Reason, Score, namesakes, score
from .subjects import Contact, Link, Person, contact_keys, person_keys
