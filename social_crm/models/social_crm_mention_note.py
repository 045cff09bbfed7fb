from markupsafe import Markup

from odoo import models
from odoo.tools import plaintext2html

from ..tools import is_web


class SocialCrmMention(models.Model):
    """A mention as a message in the timeline of a lead, ticket or contact."""

    _inherit = 'social.crm.mention'

    def _as_note(self):
        """Return the mention as it stands in the timeline of a lead, ticket or contact."""
        self.ensure_one()
        kind = dict(self._fields['kind']._description_selection(self.env))[self.kind]
        network = dict(self._selection_network())[self.network]
        link = (
            Markup('<a href="%s" rel="noopener noreferrer" target="_blank">%s</a>')
            % (self.url, network)
            if is_web(self.url)
            else network
        )
        return Markup('<p><b>%s</b> (%s, %s)</p>%s') % (
            # The link opens the mention, and finds the note again when its author is erased.
            self._get_html_link(title=self.author_id.display_name),
            kind,
            link,
            plaintext2html(self.text or ''),
        )

    def _note_author(self):
        """Return the author arguments of a message: the contact, else the profile's name."""
        partner = self.partner_id
        if partner:
            return {'author_id': partner.id, 'email_from': partner.email_formatted}
        return {'author_id': False, 'email_from': self.author_id.display_name}
