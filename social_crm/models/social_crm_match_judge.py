from itertools import chain

from odoo import api, fields, models

from .. import matching
from .social_crm_profile_match import MOST_SUGGESTIONS

#: What a profile and an impostor of it would both name.
_CLAIMS = ('email:', 'site:')


class SocialCrmMatch(models.Model):
    """Judges who a profile may be, by what else is known: namesakes, shared addresses, rivals."""

    _inherit = 'social.crm.match'

    @api.model
    def _judge(self, company, people):
        """Score the contacts that profiles of a company may be.

        :param dict people: profile -> Person
        :return: dict of profile -> dict of contact id -> Score, those below a suggestion left out
        """
        keys = {
            profile.id: matching.person_keys(person, forms=True)
            for profile, person in people.items()
        }
        found = self.env['social.crm.match.key']._find_contacts(
            [(number, key, company.id) for number, its in keys.items() for key in its]
        )
        numbers = set().union(*(some for some in found.values() if some))
        contacts = self.env['res.partner'].browse(numbers)._as_contacts()
        rejected = self._rejected(people)
        verdicts = {}
        around_each = {profile.id: {} for profile in people}
        for (number, key), some in found.items():
            around_each[number][key] = some
        for profile, person in people.items():
            around = around_each[profile.id]
            candidates = set().union(*(some for some in around.values() if some))
            judged = {}
            for number in candidates - rejected.get(profile.id, set()):
                crowd = _crowd(
                    contacts[number],
                    [contacts[other] for other in candidates if other != number],
                    around,
                )
                score = matching.score(contacts[number], person, crowd)
                if score.value >= matching.SUGGEST:
                    judged[number] = score
            verdicts[profile] = judged
        return self._settle_rivals(company, people, contacts, verdicts)

    @api.model
    def _rejected(self, people):
        """Return what people have said is somebody else: dict of profile id -> contact ids."""
        rejected = {}
        for match in self.search_fetch(
            [('profile_id', 'in', [profile.id for profile in people]), ('state', '=', 'rejected')],
            ['profile_id', 'partner_id'],
        ):
            rejected.setdefault(match.profile_id.id, set()).add(match.partner_id.id)
        return rejected

    # === RIVALS === #

    @api.model
    def _settle_rivals(self, company, people, contacts, verdicts):
        """Where several profiles of a network say that they are one contact, nobody is sure.

        One that the network or a domain vouches for stands above those that only say so: what was
        linked by such words alone becomes a suggestion again.
        """
        for profile, judged in verdicts.items():
            for number, score in judged.items():
                if not score.links:
                    continue
                contact = contacts[number]
                rivals = self._rivals(company, profile, people[profile], contact)
                linked = self._linked_by_words(number, rivals)
                for other, its_score in rivals.items():
                    if other.partner_id and other not in linked:
                        judged[number] = score.doubted('has_profile')
                    elif its_score.proven or not score.proven:
                        judged[number] = score.doubted('rival')
                self._contest(linked, rivals)
        return {profile: _only_one(judged) for profile, judged in verdicts.items()}

    @api.model
    def _rivals(self, company, profile, person, contact):
        """Return other profiles on the network that are or may be this contact, with their score.

        Those that a person has rejected as this contact are none.

        :return: dict of profile -> Score
        """
        claims = [
            key
            for key in matching.person_keys(person) & matching.contact_keys(contact)
            if key.startswith(_CLAIMS)
        ]
        found = self.env['social.crm.match.key']._find_profiles(
            [(contact.id, key, company.id) for key in claims]
        )
        ids = list(chain.from_iterable(some for some in found.values() if some))
        others = self.env['social.crm.profile'].search(
            [
                ('id', '!=', profile.id),
                ('network', '=', profile.network),
                ('company_id', '=', company.id),
                '|',
                ('partner_id', '=', contact.id),
                '&',
                ('partner_id', '=', False),
                ('id', 'in', ids),
            ]
        )
        others -= self.search(
            [
                ('profile_id', 'in', others.ids),
                ('partner_id', '=', contact.id),
                ('state', '=', 'rejected'),
            ]
        ).profile_id
        people = others._as_people()
        scores = {other: matching.score(contact, people[other.id]) for other in others}
        return {
            other: score
            for other, score in scores.items()
            if other.partner_id or score.value >= matching.SUGGEST
        }

    @api.model
    def _linked_by_words(self, partner_id, rivals):
        """Return the rivals that were linked automatically, by their own words alone."""
        matches = self.search(
            [
                ('profile_id', 'in', [profile.id for profile in rivals]),
                ('partner_id', '=', partner_id),
                ('state', '=', 'linked'),
            ]
        )
        return {match.profile_id: match for match in matches if not rivals[match.profile_id].proven}

    @api.model
    def _contest(self, linked, rivals):
        """Turn such links into suggestions: somebody else says the same now."""
        for profile, match in linked.items():
            profile.partner_id = False
            match.write({'state': 'suggested', **_row(rivals[profile].doubted('rival'))})

    # === OUTCOME === #

    @api.model
    def _store_verdicts(self, profiles, verdicts):
        """Link, suggest, and take back what does not hold any more; decisions of people stay."""
        known = {
            (match.profile_id, match.partner_id.id): match
            for match in self.search([('profile_id', 'in', profiles.ids)])
        }
        new, kept = [], self.browse()
        for profile, judged in verdicts.items():
            best = sorted(judged.items(), key=lambda item: (-item[1].value, item[0]))
            for number, score in best[:MOST_SUGGESTIONS]:
                match = known.get((profile, number))
                values = {'state': 'linked' if score.links else 'suggested', **_row(score)}
                if match:
                    kept |= match
                    match.write(values)
                else:
                    new.append({'profile_id': profile.id, 'partner_id': number, **values})
        stale = self.union(*known.values()) - kept
        stale.filtered(lambda match: match.state in ('suggested', 'linked')).unlink()
        matches = self.create(new) | kept
        matches.filtered(lambda match: match.state == 'linked')._link()

    def _link(self):
        """Link the profiles, and say so on the contacts."""
        for match in self:
            match.profile_id.partner_id = match.partner_id
            match.write({'decided_at': fields.Datetime.now(), 'decided_by': False})
        self.partner_id._message_log_batch(
            {
                partner.id: self.env['ir.qweb']._render(
                    'social_crm.match_linked', {'matches': matches}
                )
                for partner, matches in self.grouped('partner_id').items()
            }
        )


def _crowd(contact, others, around):
    """Return what is known around a contact that a profile may be.

    :param others: the other contacts that it may be
    :param dict around: key of the profile -> contact ids, ``None`` where they are too many
    """
    crowded = {key for key, some in around.items() if some is None and key.startswith('name:')}
    shared = {
        key.partition(':')[2]
        for key, some in around.items()
        if key.startswith('email:') and (some is None or len(some) > 1)
    }
    return matching.Crowd(
        shared_emails=frozenset(shared),
        homonyms=any(matching.namesakes(contact, other) for other in others)
        or bool(crowded and crowded & matching.contact_keys(contact)),
    )


def _only_one(judged):
    """Where several contacts could be linked, none is: somebody has to say which one."""
    sure = [number for number, score in judged.items() if score.links]
    if len(sure) < 2:
        return judged
    return {
        number: score.doubted('several') if score.links else score
        for number, score in judged.items()
    }


def _row(score):
    return {'score': score.value, 'reasons': [reason._asdict() for reason in score.reasons]}
