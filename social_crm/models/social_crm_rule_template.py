from odoo import fields, models

from .social_crm_rule import CUSTOMERS, SENTIMENTS

# What a template says goes into the field of the same name of the rule.
SAME = (
    'keywords',
    'hashtags',
    'expression',
    'excluded',
    'sentiment',
    'customer',
    'min_followers',
    'kind_message',
    'kind_search',
)


class SocialCrmRuleTemplate(models.Model):
    """A listening rule to start from: nothing listens before somebody has looked and saved."""

    _name = 'social.crm.rule.template'
    _description = 'Template of a Listening Rule'
    _order = 'sequence, id'

    name = fields.Char(required=True, translate=True)
    description = fields.Text(translate=True)
    sequence = fields.Integer(default=10)
    icon = fields.Char(default='fa-filter', help='A Font Awesome icon, such as fa-star.')
    names_us = fields.Boolean(
        'Only What Names Us', help='The rule asks for the handles of the brand accounts.'
    )
    keywords = fields.Text()
    hashtags = fields.Char()
    expression = fields.Char()
    excluded = fields.Text('Excluded Words')
    sentiment = fields.Selection(SENTIMENTS)
    customer = fields.Selection(CUSTOMERS)
    min_followers = fields.Integer('Followers at Least')
    kind_message = fields.Boolean('Direct Messages', default=True)
    kind_search = fields.Boolean('Search Hits', default=True)
    action_kind = fields.Selection(
        [('lead', 'Create a lead'), ('ticket', 'Create a ticket'), ('activity', 'An activity')],
        'Then',
    )
    activity_summary = fields.Char(translate=True)

    def action_use(self):
        """Open a new rule that is filled in from this template."""
        self.ensure_one()
        values = self._rule_values()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._('New Listening Rule'),
            'res_model': 'social.crm.rule',
            'view_mode': 'form',
            'views': [(False, 'form')],
            'context': {f'default_{name}': value for name, value in values.items()},
        }

    def _rule_values(self):
        """Return the values of a rule made from this template."""
        self.ensure_one()
        values = {name: self[name] for name in SAME}
        values['name'] = self.name
        if self.names_us:
            accounts = self.env['social.crm.account'].search(
                [
                    ('kind', '=', 'brand'),
                    ('company_id', '=', self.env.company.id),
                    ('state', '=', 'connected'),
                ]
            )
            values['handles'] = ' '.join(f'@{handle}' for handle in accounts.mapped('handle'))
        if self.action_kind:
            action = {'kind': self.action_kind}
            if self.action_kind == 'activity':
                action['activity_summary'] = self.activity_summary
            values['action_ids'] = [fields.Command.create(action)]
        return values
