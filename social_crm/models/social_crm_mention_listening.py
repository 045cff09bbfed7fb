from babel import Locale

from odoo import api, fields, models

from .. import listening


class SocialCrmMention(models.Model):
    """A mention as the rules read it, and why it matched them."""

    _inherit = 'social.crm.mention'

    language_name = fields.Char('Written In', compute='_compute_language_name')
    explanation = fields.Html(
        'Why This Matched',
        compute='_compute_explanation',
        compute_sudo=True,
        sanitize=False,
    )

    # === COMPUTE METHODS === #

    @api.depends('language')
    @api.depends_context('lang')
    def _compute_language_name(self):
        names = Locale.parse(self.env.lang or 'en_US').languages
        for mention in self:
            mention.language_name = names.get(mention.language, mention.language)

    @api.depends('rule_ids', 'text', 'sentiment_label', 'campaign_id')
    @api.depends_context('lang')
    def _compute_explanation(self):
        for mention in self:
            mention.explanation = mention._render_explanation() if mention.rule_ids else False

    def _render_explanation(self):
        """Return as HTML which clauses of which rules matched, and in which words."""
        self.ensure_one()
        text, rules = self._listening_text(), []
        for rule in self.rule_ids:
            query = rule._query()
            rules.append((rule, query.terms(text), rule._highlight(self, query)))
        return self.env['ir.qweb']._render(
            'social_crm.mention_explanation', {'mention': self, 'rules': rules}
        )

    # === LISTENING === #

    def _listening_text(self):
        """Return the text as the rules read it."""
        self.ensure_one()
        return listening.Text(self.text or '', handles=self._addressed_handles())

    def _addressed_handles(self):
        """What is sent to an account mentions it, even if the text does not say so."""
        return (self.account_id.handle,) if self.kind not in ('search', 'lead_form') else ()

    def _facts(self):
        """Return what the rules may ask about each mention: dict of id -> Facts."""
        customer_ids = set(self.author_id.partner_id._social_customers().ids)
        return {
            mention.id: mention.author_id._author().facts(
                customer_ids,
                account=mention.account_id.id,
                kind=mention.kind,
                language=mention.language or '',
                sentiment=mention.sentiment_label or 'unknown',
            )
            for mention in self
        }
