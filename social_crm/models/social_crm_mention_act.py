import logging
from collections import defaultdict

import psycopg2.errors

from odoo import api, models

_logger = logging.getLogger(__name__)

ACT_BATCH = 100
CONFLICTS = 5  # with other workers, before the next run goes on


class SocialCrmMention(models.Model):
    """The loop that does what the rules ask for: nothing lost, nothing twice."""

    _inherit = 'social.crm.mention'

    @api.model
    def _cron_act(self):
        """Do what the rules ask for, for all mentions that wait."""
        for _conflict in range(CONFLICTS):
            try:
                done = ACT_BATCH
                while done == ACT_BATCH:
                    done = self._act_batch()
                    more = int(done == ACT_BATCH)
                    if not self.env['ir.cron']._commit_progress(done, remaining=more):
                        return
                return
            except psycopg2.errors.SerializationFailure:  # another worker had one of the authors
                self.env.cr.rollback()

    @api.model
    def _act_batch(self):
        """Act on the next mentions, in one transaction that the caller commits.

        The mention and its author are locked. An author that another worker is busy with waits for
        its next turn, so one author never gets two leads at once.

        :return: number of mentions taken
        """
        self.env.cr.execute(
            """SELECT m.id FROM social_crm_mention m JOIN social_crm_profile p ON p.id = m.author_id
                WHERE m.act_state = 'pending' ORDER BY m.id LIMIT %s
                  FOR NO KEY UPDATE OF m, p SKIP LOCKED""",
            [ACT_BATCH],
            log_exceptions=False,  # a conflict with another worker is expected, and tried again
        )
        mentions = self.browse([row[0] for row in self.env.cr.fetchall()])
        for company, group in mentions.grouped('company_id').items():
            group.with_company(company)._act()
        return len(mentions)

    def _act(self):
        """Make leads of filled-in forms, then do what the rules ask for."""
        mentions = self - self._capture_submissions()
        if mentions:
            mentions._act_on_rules()

    def _act_on_rules(self):
        """Run the matched rules' actions, all mentions at once; each apart where that fails."""
        try:
            with self.env.cr.savepoint():
                self._act_together()
        except psycopg2.errors.SerializationFailure:
            raise
        except Exception as error:
            _logger.info('%s mentions failed together (%s), taking it apart', len(self), error)
            self._act_apart()

    def _act_together(self):
        """Run all actions, with nothing in between."""
        automations = self._creation_automations()
        mentions = self._hold_automations(automations)
        for action, some in mentions._steps():
            action._run(some)
        mentions.write({'act_state': 'done', 'act_error': False})
        self._run_automations(automations)
        self.env.flush_all()

    def _act_apart(self):
        """Run each action on its own, so that one that fails does not stop the others.

        What costs much, such as leads, is still made for all mentions at once.
        """
        errors = defaultdict(list)
        automations = self._creation_automations()
        mentions = self._hold_automations(automations)
        for action, some in mentions._steps():
            some._attempt(action.rule_id.name, action._run, errors)
        for rule in automations:
            self._attempt(
                rule.sudo().name,  # sudo: who reads the error may not read automation rules
                lambda some, rule=rule: some._run_automations(rule),
                errors,
            )
        for mention in mentions.filtered(lambda mention: mention.id in errors):
            message = '; '.join(errors[mention.id])[:500]
            mention.write({'act_state': 'failed', 'act_error': message})
            mentions -= mention
        mentions.write({'act_state': 'done', 'act_error': False})

    def _attempt(self, name, step, errors):
        """Do a step for these mentions at once, for one after the other where that fails.

        :param step: called with mentions
        :param errors: gets what went wrong, by the mention's id
        """
        try:
            with self.env.cr.savepoint():
                step(self)
                self.env.flush_all()
        except psycopg2.errors.SerializationFailure:
            raise
        except Exception as error:
            if len(self) == 1:
                # The trace once: thousands may fail for the same reason.
                _logger.warning('%s of mention %s: %s', name, self.id, error, exc_info=not errors)
                errors[self.id].append(f'{name}: {error}')
                return
            for mention in self:
                mention._attempt(name, step, errors)

    def _steps(self):
        """Return the actions in order, with their mentions: the first of each, then the second."""
        plans = {mention: mention._planned_actions() for mention in self}
        steps = []
        for index in range(max(map(len, plans.values()), default=0)):
            by_action = {}
            for mention, actions in plans.items():
                if index < len(actions):
                    others = by_action.get(actions[index], self.browse())
                    by_action[actions[index]] = others | mention
            steps += by_action.items()
        return steps

    def _planned_actions(self):
        """Return the actions of the matched rules, in the order of the rules and then their own."""
        if self.author_id.blocked and not any(self.rule_ids.mapped('match_blocked')):
            return self.env['social.crm.rule.action']
        rules = self.rule_ids.filtered(lambda rule: rule.active and not rule.paused).sorted()
        return rules.action_ids.sorted(
            lambda action: (action.rule_id.sequence, action.rule_id.id, action.sequence, action.id)
        )
