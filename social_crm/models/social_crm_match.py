from odoo import api, fields, models
from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

LABELS = {
    'email': _lt('gives the e-mail address of the contact'),
    'email_shared': _lt('gives an e-mail address of the contact that others have too'),
    'handle_is_email': _lt('the handle is the e-mail address of the contact'),
    'handle_is_site': _lt('the handle is the domain of the contact, checked by the network'),
    'site_verified': _lt('the website of the contact points back, checked by the network'),
    'page_on_file': _lt('the profile is the website on file'),
    'phone': _lt('gives the phone number of the contact'),
    'site': _lt('links to the website of the contact'),
    'employer_site': _lt('links to the website of the employer'),
    'handle_domain': _lt('an account on the own server of the contact or employer'),
    'handle_rare': _lt('the same unusual handle as in the e-mail address'),
    'handle_local': _lt('the same handle as in the e-mail address'),
    'company': _lt('names the company of the contact'),
    'city': _lt('the same place'),
    'job': _lt('the same job'),
    'name_equal': _lt('the same name'),
    'name_strong': _lt('the same name, in another form'),
    'name_initial': _lt('the same family name and initial'),
    'name_single': _lt('a part of the name'),
    'name_given': _lt('the same given name, another family name'),
    'name_family': _lt('the same family name, another given name'),
    'name_conflict': _lt('another name'),
    'homonyms': _lt('several contacts have this name'),
    'employer': _lt('it is the page of the company'),
    'parody': _lt('says that it is not the person'),
    'bot': _lt('an automatic account'),
    'rival': _lt('another profile on this network says the same: one of them may be an impostor'),
    'has_profile': _lt('the contact has another profile on this network'),
    'team_address': _lt('an address that a team reads'),
    'shared': _lt('several contacts have this address'),
    'several': _lt('more than one contact fits'),
}


class SocialCrmMatch(models.Model):
    """A profile and a contact that may be the same, with the evidence and what became of it."""

    _name = 'social.crm.match'
    _description = 'Match of a Social Profile and a Contact'
    _order = 'score desc, id desc'
    _rec_name = 'profile_id'

    profile_id = fields.Many2one(
        'social.crm.profile', required=True, readonly=True, index=True, ondelete='cascade'
    )
    partner_id = fields.Many2one(
        'res.partner', 'Contact', required=True, readonly=True, index=True, ondelete='cascade'
    )
    company_id = fields.Many2one(
        related='profile_id.company_id', store=True, index=True, precompute=True
    )
    network = fields.Selection(related='profile_id.network')
    score = fields.Float(readonly=True, aggregator='avg', digits=(3, 2))
    reasons = fields.Json(readonly=True)
    evidence = fields.Html(compute='_compute_evidence', sanitize=False)
    state = fields.Selection(
        [
            ('suggested', 'To Decide'),
            ('linked', 'Linked Automatically'),
            ('confirmed', 'Confirmed'),
            ('rejected', 'Rejected'),
        ],
        required=True,
        default='suggested',
        readonly=True,
        index=True,
    )
    decided_by = fields.Many2one('res.users', readonly=True, ondelete='set null')
    decided_at = fields.Datetime(readonly=True)

    partner_email = fields.Char(related='partner_id.email', string='E-mail')
    partner_phone = fields.Char(related='partner_id.phone', string='Phone')
    partner_company = fields.Char(
        related='partner_id.commercial_company_name', string='Company Name'
    )
    partner_city = fields.Char(related='partner_id.city', string='City')
    partner_avatar = fields.Image(related='partner_id.avatar_128', string='Picture of the Contact')
    profile_avatar = fields.Image(related='profile_id.avatar_128', string='Picture of the Profile')
    profile_name = fields.Char(related='profile_id.name', string='Name on the Network')
    profile_handle = fields.Char(related='profile_id.handle', string='Handle')
    profile_card = fields.Html(related='profile_id.card', sanitize=False)

    _unique_pair = models.UniqueIndex('(profile_id, partner_id)', 'This match exists already.')

    @api.depends('reasons')
    def _compute_evidence(self):
        for match in self:
            match.evidence = self.env['ir.qweb']._render(
                'social_crm.match_evidence', {'reasons': match._readable_reasons()}
            )

    def _readable_reasons(self):
        """Return the evidence as (text, detail, points in percent), the strongest first."""
        reasons = sorted(self.reasons or (), key=lambda reason: -reason['points'])
        return [
            (
                self.env._(LABELS[reason['code']]),  # pylint: disable=translation-not-lazy
                reason['detail'],
                round(reason['points'] * 100),
            )
            for reason in reasons
        ]

    # === ACTION METHODS === #

    def action_confirm(self):
        """It is the same person: link the profile, and forget the other suggestions for it."""
        for match in self:
            match.profile_id._link_contact(match.partner_id.id)  # the write decides this match

    def action_reject(self):
        """It is somebody else: never suggest this again."""
        self.profile_id.check_access('write')
        linked = self.filtered(lambda match: match.profile_id.partner_id == match.partner_id)
        for match in linked:
            match.profile_id.partner_id = False  # the write decides this match
        (self - linked)._decide('rejected')

    # === BUSINESS METHODS === #

    def _decide(self, state):
        """Note a person's decision; for ever."""
        # sudo: who may decide was checked by the caller, the rows are the module's
        decided = self.sudo()
        decided.write(
            {'state': state, 'decided_by': self.env.uid, 'decided_at': fields.Datetime.now()}
        )
        if state == 'rejected':
            # An impostor that is known as one stands in nobody's way any more.
            others = decided.search(
                [('partner_id', 'in', self.partner_id.ids), ('state', '=', 'suggested')]
            )
            (others.profile_id | self.profile_id)._match_again()

    @api.model
    def _note_decisions(self, pairs, state):
        """Note what a person decided about pairs of profile and contact.

        :param pairs: list of (profile, contact)
        """
        if not pairs:
            return
        # sudo: the rows are the module's
        Match = self.sudo()
        profiles, partners = zip(*pairs, strict=True)
        known = {
            (match.profile_id, match.partner_id): match
            for match in Match.search(
                [
                    ('profile_id', 'in', [profile.id for profile in profiles]),
                    ('partner_id', 'in', [partner.id for partner in partners]),
                ]
            )
        }
        new = [(profile, partner) for profile, partner in pairs if (profile, partner) not in known]
        matches = Match.create(
            [{'profile_id': profile.id, 'partner_id': partner.id} for profile, partner in new]
        )
        for profile, partner in pairs:
            matches |= known.get((profile, partner), Match)
        matches.with_user(self.env.user)._decide(state)

    @api.model
    def _drop_suggestions(self, domain):
        """Take suggestions back; what people have decided stays."""
        # sudo: the rows are the module's
        self.sudo().search([*domain, ('state', '=', 'suggested')]).unlink()
