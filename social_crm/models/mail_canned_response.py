import re

from odoo import api, models

PLACEHOLDER = re.compile(r'\{\{\s*([\w.]+)\s*\}\}')


class MailCannedResponse(models.Model):
    """Saved replies may name things: ``{{ name }}``. Names are looked up, nothing is run."""

    _inherit = 'mail.canned.response'

    @api.model
    def _social_fill_in(self, text, values):
        """Put values in the place of their names; a name that has none stays, to be seen."""
        return PLACEHOLDER.sub(lambda match: values.get(match[1].lower(), match[0]), text)

    @api.model
    def _social_placeholders(self, text):
        """Return the placeholders that stand in a text, as written, each once."""
        return list(dict.fromkeys(match[0] for match in PLACEHOLDER.finditer(text)))
