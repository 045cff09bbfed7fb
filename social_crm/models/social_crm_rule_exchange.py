from odoo import api, fields, models
from odoo.exceptions import UserError

FORMAT = 'social_crm.rules'
VERSION = 1
MAX_RULES = 1000
MAX_ACTIONS = 50
MAX_TEXT = 20_000

# Plain fields, by the type that a file must give them.
RULE_FIELDS = {
    str: (
        'name',
        'keywords',
        'hashtags',
        'handles',
        'expression',
        'excluded',
        'language_codes',
        'sentiment',
        'area',
        'customer',
    ),
    int: ('sequence', 'min_followers'),
    bool: (
        'kind_mention',
        'kind_reply',
        'kind_comment',
        'kind_message',
        'kind_search',
        'verified_only',
        'match_blocked',
    ),
}
ACTION_FIELDS = {
    str: ('kind', 'ticket_priority', 'activity_summary'),
    int: ('sequence', 'activity_days'),
    bool: ('during_complaint',),
}
# Records are named by what people call them: field -> field of the other model.
RULE_RECORDS = {'account_ids': 'handle', 'country_ids': 'code', 'campaign_id': 'name'}
ACTION_RECORDS = {
    'crm_team_id': 'name',
    'helpdesk_team_id': 'name',
    'ticket_category_id': 'name',
    'ticket_tag_ids': 'name',
    'tag_ids': 'name',
    'user_id': 'login',
    'user_ids': 'login',
    'channel_id': 'name',
    'activity_type_id': 'name',
    'campaign_id': 'name',
}


class SocialCrmRule(models.Model):
    """Rules as a file that another database can take.

    Records are named, not numbered; what the other database lacks is left out and told. Server
    actions stay behind: a file must not bring code, and authors are people of one database.
    """

    _inherit = 'social.crm.rule'

    # === EXPORT === #

    def _portable(self):
        """Return these rules as a JSON-ready dictionary."""
        return {
            'format': FORMAT,
            'version': VERSION,
            'rules': [
                {
                    **_plain(rule, RULE_FIELDS),
                    **_named(rule, RULE_RECORDS),
                    'actions': [
                        {**_plain(action, ACTION_FIELDS), **_named(action, ACTION_RECORDS)}
                        for action in rule.action_ids
                        if action.kind != 'server'
                    ],
                }
                for rule in self
            ],
        }

    # === IMPORT === #

    @api.model
    def _from_portable(self, content):
        """Create the rules of a file, paused: nothing fires before somebody has looked at them.

        :param content: what :meth:`_portable` returns, from anywhere
        :return: the rules, and a list of sentences about what was left out
        :raise UserError: when it is no such file
        """
        rules, notes = self.browse(), []
        for entry in self._check_portable(content):
            values = self._read_values(self, entry, RULE_FIELDS, RULE_RECORDS, notes)
            values.setdefault('name', self.env._('Imported Rule'))
            values['paused'] = True
            actions = []
            for one in entry.get('actions') or []:
                action = self._read_values(
                    self.env['social.crm.rule.action'], one, ACTION_FIELDS, ACTION_RECORDS, notes
                )
                if self._is_complete(action):
                    actions.append(fields.Command.create(action))
                else:
                    notes.append(
                        self.env._('%s: an action was left out, it lacks details.', values['name'])
                    )
            rules |= self.create({**values, 'action_ids': actions})
        return rules, list(dict.fromkeys(notes))

    @api.model
    def _check_portable(self, content):
        """Return the entries of a file.

        :raise UserError: when it is no such file
        """
        if not isinstance(content, dict) or content.get('format') != FORMAT:
            raise UserError(
                self.env._('This is no file of listening rules: export one in the list of rules.')
            )
        if content.get('version') != VERSION:
            raise UserError(self.env._('This file was made by another version of Social CRM.'))
        entries = content.get('rules')
        if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
            raise UserError(self.env._('The rules in this file cannot be read.'))
        if not 0 < len(entries) <= MAX_RULES:
            raise UserError(self.env._('A file has between 1 and %(most)s rules.', most=MAX_RULES))
        return entries

    @api.model
    def _read_values(self, model, entry, plain, records, notes):
        """Return the values of a record; what is of the wrong type is left out."""
        values = {}
        for kind, names in plain.items():
            for name in names:
                value = entry.get(name)
                if type(value) is not kind or (kind is str and len(value) > MAX_TEXT):
                    continue
                field = model._fields[name]
                if field.type == 'selection' and value not in dict(field.selection):
                    continue
                if kind is int and not -(2**31) <= value < 2**31:
                    continue
                values[name] = value
        for name, key in records.items():
            wanted = entry.get(name)
            wanted = wanted if isinstance(wanted, list) else [wanted] if wanted else []
            wanted = [one for one in wanted[:MAX_ACTIONS] if isinstance(one, str)]
            if not wanted:
                continue
            field = model._fields[name]
            found = self._find_named(field, key, wanted)
            missing = set(wanted) - set(found.mapped(key))
            notes += [
                self.env._(
                    '%(field)s "%(name)s" is not in this database.',
                    field=field._description_string(self.env),
                    name=one,
                )
                for one in sorted(missing)
            ]
            if found:
                values[name] = (
                    found[:1].id if field.type == 'many2one' else [fields.Command.set(found.ids)]
                )
        return values

    @api.model
    def _find_named(self, field, key, names):
        """Return the records with these names, of this company or of all."""
        Model = self.env[field.comodel_name]
        domain = fields.Domain(key, 'in', names)
        if 'company_id' in Model._fields:
            domain &= fields.Domain('company_id', 'in', [False, self.env.company.id])
        return Model.search(domain)

    @api.model
    def _is_complete(self, action):
        needed = {
            'lead': (),
            'ticket': (),
            'activity': (),
            'notify': ('user_ids', 'channel_id'),
            'tag': ('tag_ids',),
            'campaign': ('campaign_id',),
        }.get(action.get('kind'))
        return needed is not None and (not needed or any(name in action for name in needed))


def _plain(record, by_type):
    return {name: record[name] for names in by_type.values() for name in names if record[name]} | {
        name: False for name in by_type[bool] if not record[name]
    }


def _named(record, keys):
    values = {}
    for name, key in keys.items():
        names = record[name].mapped(key)
        if names:
            values[name] = names if record._fields[name].type == 'many2many' else names[0]
    return values


def _is_entry(entry):
    if not isinstance(entry, dict):
        return False
    actions = entry.get('actions') or []
    return (
        isinstance(actions, list)
        and len(actions) <= MAX_ACTIONS
        and all(isinstance(action, dict) for action in actions)
    )
