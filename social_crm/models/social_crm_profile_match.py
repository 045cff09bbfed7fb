import logging
import time

import psycopg2.errors

from odoo import api, fields, models

from .. import matching
from ..tools import take_marked

_logger = logging.getLogger(__name__)

BATCH = 200
MOST_SUGGESTIONS = 5  # for one profile: the best
MESSAGES = 20  # the latest of an author that are looked at for addresses
TRIES = 5
#: Changes of these make a profile somebody else, or say more about who it is.
TELLING_FIELDS = frozenset(('network', 'handle', 'name', 'headline', 'bio', 'location', 'links'))


class SocialCrmProfile(models.Model):
    """Finds the contact of a profile: looked up by keys, scored with reasons, linked or suggested.

    A profile that is *due* is looked at by the next batch; a batch is one transaction, so that
    one that is killed is simply done again.
    """

    _inherit = 'social.crm.profile'

    match_due = fields.Boolean(default=True, readonly=True, copy=False)
    match_ids = fields.One2many(
        'social.crm.match',
        'profile_id',
        'Suggested Contacts',
        groups='social_crm.social_crm_group_user',
    )
    suggestion_count = fields.Integer(
        compute='_compute_suggestion_count', groups='social_crm.social_crm_group_user'
    )
    link_evidence = fields.Html(
        'Why This Contact',
        compute='_compute_link_evidence',
        compute_sudo=True,
        sanitize=False,
    )

    _match_due = models.Index('(id) WHERE match_due')

    # === COMPUTE METHODS === #

    @api.depends('match_ids.state')
    def _compute_suggestion_count(self):
        counts = dict(
            self.env['social.crm.match']._read_group(
                [('profile_id', 'in', self.ids), ('state', '=', 'suggested')],
                ['profile_id'],
                ['__count'],
            )
        )
        for profile in self:
            profile.suggestion_count = counts.get(profile, 0)

    @api.depends('partner_id', 'match_ids.reasons')
    def _compute_link_evidence(self):
        for profile in self:
            match = profile.match_ids.filtered(
                lambda match, profile=profile: match.partner_id == profile.partner_id
            )
            profile.link_evidence = match[:1].evidence if profile.partner_id else False

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        profiles = super().create(vals_list)
        profiles._wake_matching()
        if not self.env.su:
            self.env['social.crm.match']._note_decisions(
                [(profile, profile.partner_id) for profile in profiles if profile.partner_id],
                'confirmed',
            )
        return profiles

    def write(self, vals):
        """What a person says about the contact of a profile is remembered as their decision."""
        if TELLING_FIELDS & vals.keys():
            vals = {'match_due': True, **vals}
        before = (
            {profile: profile.partner_id for profile in self}
            if 'partner_id' in vals and not self.env.su
            else {}
        )
        result = super().write(vals)
        changed = {
            profile: partner for profile, partner in before.items() if profile.partner_id != partner
        }
        Match = self.env['social.crm.match']
        Match._note_decisions(
            [(profile, partner) for profile, partner in changed.items() if partner], 'rejected'
        )
        Match._note_decisions(
            [(profile, profile.partner_id) for profile in changed if profile.partner_id],
            'confirmed',
        )
        linked = self.filtered('partner_id') if 'partner_id' in vals else self.browse()
        if linked:
            Match._drop_suggestions([('profile_id', 'in', linked.ids)])
        if vals.get('match_due'):
            self._wake_matching()
        return result

    # === ACTION METHODS === #

    def action_match(self):
        """Look for the contact again; the answer shows in a moment."""
        self.check_access('write')
        self._match_again()

    # === LOOP === #

    def _match_again(self):
        # sudo: a mark for the loop
        self.sudo().write({'match_due': True})

    @api.model
    def _wake_matching(self):
        """Have the loop run soon, once per transaction."""
        marks = self.env.cr.precommit.data
        if not marks.get('social_crm_match'):
            marks['social_crm_match'] = True
            cron = self.env.ref('social_crm.ir_cron_match', raise_if_not_found=False)
            if cron:  # not there yet while the module is installed
                cron.sudo()._trigger()  # sudo: wake the loop only

    @api.model
    def _cron_match(self):
        """Match all contacts and profiles that are due."""
        while self._match_round():
            if not self.env['ir.cron']._commit_progress(1):
                return

    @api.model
    def _match_new(self, seconds=10):
        """Match what has just come in, before anybody acts on it: a customer must be known as one.

        What takes longer than ``seconds`` is for the loop of its own.
        """
        deadline = time.monotonic() + seconds
        self._attempt(self.env['res.partner']._social_match_batch)
        while time.monotonic() < deadline:
            done = self._attempt(self._match_due_batch)
            self.env['ir.cron']._commit_progress()
            if not done:
                return

    @api.model
    def _match_round(self):
        """Do a batch of contacts and a batch of profiles; return whether there were any."""
        contacts = self._attempt(self.env['res.partner']._social_match_batch)
        if contacts:
            self.env['ir.cron']._commit_progress()
        return contacts + self._attempt(self._match_due_batch)

    @api.model
    def _attempt(self, batch):
        """Do a batch; when another worker was quicker, do it again on what is there now."""
        for _attempt in range(TRIES):
            try:
                return batch()
            except psycopg2.errors.SerializationFailure:
                self.env.cr.rollback()
        _logger.info('matching is put off: others are writing to the same rows')
        return 0

    @api.model
    def _match_due_batch(self):
        """Match up to :data:`BATCH` profiles that are due.

        :return: number of profiles
        """
        profiles = take_marked(self, 'match_due', BATCH)
        if profiles:
            profiles._match()
        return len(profiles)

    def _match(self):
        """Find the contacts of these profiles: link, suggest, take suggestions back."""
        people = self._as_people()
        self.env['social.crm.match.key']._replace(
            'profile_id',
            {number: matching.person_keys(person) for number, person in people.items()},
            {profile.id: profile.company_id.id for profile in self},
        )
        waiting = self.filtered(lambda profile: not profile.partner_id)
        for company, profiles in waiting.grouped('company_id').items():
            self.env['social.crm.match']._store_verdicts(
                profiles,
                self.env['social.crm.match']._judge(
                    company, {profile: people[profile.id] for profile in profiles}
                ),
            )

    # === WHAT A PROFILE TELLS === #

    def _as_people(self):
        """Return these profiles as :mod:`..matching` knows them: dict of id -> Person."""
        self.env.cr.execute(
            """SELECT p.id, p.network, p.handle, p.name, p.headline, p.bio, p.location, p.url,
                      p.links, p.bot, p.external_id LIKE 'did:%%', m.texts
                 FROM social_crm_profile p
    LEFT JOIN LATERAL (
                      SELECT string_agg(latest.text, E' \\n ') AS texts
                        FROM (SELECT text FROM social_crm_mention
                               WHERE author_id = p.id AND kind = 'message'
                                 -- what came in by a personal account is its owner's
                                 AND owner_id IS NULL
                               ORDER BY posted_at DESC LIMIT %s) latest) m ON TRUE
                WHERE p.id = ANY(%s)""",
            [MESSAGES, self.ids],
        )
        return {
            row[0]: matching.Person(
                id=row[0],
                network=row[1],
                handle=row[2] or '',
                name=row[3] or '',
                headline=row[4] or '',
                bio=row[5] or '',
                location=row[6] or '',
                url=row[7] or '',
                links=tuple(
                    matching.Link(link.get('url') or '', bool(link.get('verified')))
                    for link in row[8] or ()
                ),
                bot=bool(row[9]),
                domain_handle=bool(row[10]),
                messages=row[11] or '',
            )
            for row in self.env.cr.fetchall()
        }
