"""Who somebody is: names as people write them, addresses in what they write. No Odoo in here."""

from .details import emails, phones
from .names import person_name
