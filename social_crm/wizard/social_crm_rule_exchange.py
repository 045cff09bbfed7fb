import base64
import binascii
import json

from odoo import fields, models
from odoo.exceptions import UserError

FILE_NAME = 'listening_rules.json'
MAX_BYTES = 2_000_000


class SocialCrmRuleExport(models.TransientModel):
    """Hands rules over as a file."""

    _name = 'social.crm.rule.export'
    _description = 'Export Listening Rules'

    rule_ids = fields.Many2many(
        'social.crm.rule', default=lambda self: self.env.context.get('active_ids'), required=True
    )
    file = fields.Binary(compute='_compute_file')

    def _compute_file(self):
        for wizard in self:
            content = json.dumps(wizard.rule_ids._portable(), indent=2, ensure_ascii=False)
            wizard.file = base64.b64encode(content.encode())

    def action_download(self):
        """Hand the file to the browser, and close the dialog."""
        self.ensure_one()
        return {
            'type': 'ir.actions.act_url',
            'url': f'/web/content/{self._name}/{self.id}/file/{FILE_NAME}?download=true',
            'close': True,
        }


class SocialCrmRuleImport(models.TransientModel):
    """Takes rules from a file; they are paused until somebody has looked at them."""

    _name = 'social.crm.rule.import'
    _description = 'Import Listening Rules'

    file = fields.Binary(required=True, attachment=False)
    file_name = fields.Char()
    rule_ids = fields.Many2many('social.crm.rule', readonly=True)
    notes = fields.Text(readonly=True)

    def action_import(self):
        """Create the rules; show what was left out, or the rules at once."""
        self.ensure_one()
        rules, notes = self.env['social.crm.rule']._from_portable(self._content())
        self.write({'rule_ids': [fields.Command.set(rules.ids)], 'notes': '\n'.join(notes)})
        if not notes:
            return self.action_view_rules()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._('Imported Rules'),
            'res_model': self._name,
            'res_id': self.id,
            'view_mode': 'form',
            'target': 'new',
        }

    def action_view_rules(self):
        """Open the list of the imported rules."""
        action = self.env['ir.actions.act_window']._for_xml_id('social_crm.social_crm_rule_action')
        action.update(domain=[('id', 'in', self.rule_ids.ids)], target='main')
        return action

    def _content(self):
        try:
            data = base64.b64decode(self.file, validate=True)
            if len(data) > MAX_BYTES:
                raise UserError(self.env._('This file is too large: 2 MB at most.'))
            return json.loads(data.decode())
        except (ValueError, binascii.Error, RecursionError) as error:
            raise UserError(
                self.env._('This is no file of listening rules: export one in the list of rules.')
            ) from error
