from odoo import models

from .. import listening
from .social_crm_rule import lines


class SocialCrmRule(models.Model):
    """What is wrong with the words of a rule, said in a sentence."""

    _inherit = 'social.crm.rule'

    def _explain_query_error(self, error: listening.QueryError):
        """Return the error as a sentence, with the field and the place where it is."""
        messages = {
            'empty': self.env._('Give at least one keyword, hashtag, handle or an expression.'),
            'no_positive_term': self.env._(
                'Say at least one thing to look for: exclusions alone would match nearly '
                'everything.',
            ),
            'too_long': self.env._('This is too long: 2,000 characters at most.'),
            'too_many_terms': self.env._('These are too many terms.'),
            'too_deep': self.env._('Too many parentheses inside each other.'),
            'unclosed_quote': self.env._('This quotation mark is not closed.'),
            'unclosed_parenthesis': self.env._('This parenthesis is not closed.'),
            'unexpected_parenthesis': self.env._('This parenthesis closes nothing.'),
            'empty_parenthesis': self.env._('There is nothing between these parentheses.'),
            'operator_without_operand': self.env._(
                'Something to look for is missing beside AND, OR or NOT.'
            ),
            'empty_term': self.env._('There is nothing to look for here.'),
            'bad_hashtag': self.env._('This is no hashtag: # and then letters or digits.'),
            'bad_handle': self.env._('This is no handle: @ and then a name.'),
            'bad_wildcard': self.env._('A star stands at the end of a word, such as deliver*'),
        }
        message = messages[error.code]
        if not error.field:
            return message
        name = {'exclusions': 'excluded'}.get(error.field, error.field)
        text = self[name] or ''
        if error.index >= 0:
            entries = (
                lines(text) if name in ('keywords', 'excluded') else text.replace(',', ' ').split()
            )
            text = entries[error.index]
        return self.env._(
            '%(field)s, at position %(position)s: %(message)s\n%(before)s⟦%(wrong)s⟧%(after)s',
            field=self._fields[name]._description_string(self.env),
            position=error.position + 1,
            message=message,
            before=text[: error.position],
            wrong=text[error.position : error.position + error.length],
            after=text[error.position + error.length :],
        )
