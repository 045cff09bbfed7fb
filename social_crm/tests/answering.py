"""What the tests of answers share: a stubbed server that takes posts, and the steps of an agent."""

from urllib.parse import parse_qs

from odoo.tests import Form, new_test_user

from .common import SocialCrmCase


class AnsweringCase(SocialCrmCase):
    """A mention in the inbox of the brand account, and a server that takes answers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agent = new_test_user(
            cls.env,
            'sc_agent',
            'social_crm.social_crm_group_user,helpdesk_mgmt.group_helpdesk_user,'
            'sales_team.group_sale_salesman_all_leads',
            name='Ann Agent',
        )

    def setUp(self):
        super().setUp()
        self.posted = []
        self.stub.fail['/api/v1/statuses'] = self._take_post
        self.refusal = None

    def _take_post(self, request):
        body = request.body.decode() if isinstance(request.body, bytes) else request.body or ''
        data = {key: values[-1] for key, values in parse_qs(body).items()}
        if self.refusal:
            return self.stub.answer(*self.refusal)
        status = self.stub.status(
            data['status'],
            self.stub.me,
            visibility=data.get('visibility', 'public'),
            minutes_ago=0,
            in_reply_to_id=data.get('in_reply_to_id'),
        )
        self.posted.append({**data, 'id': status['id'], 'uri': status['uri']})
        return self.stub.answer(200, status)

    # --- steps -----------------------------------------------------------------------------------

    def mentioned(self, text='do you ship to Graz?', **values):
        """Somebody writes to us; return the mention as the agent sees it."""
        notification = self.stub.mention(text, **values)
        self.receive()
        return self.mentions(external_id=notification['status']['uri']).with_user(self.agent)

    def composer(self, action, user=None):
        """Return a form of the dialog that an action opens, as the user fills it in."""
        Compose = self.env['social.crm.compose'].with_user(user or self.agent)
        return Form(Compose.with_context(**action['context']))

    def answer(self, mention, text, user=None, **values):
        """Answer a mention by the dialog; return the queued engagement."""
        mention = mention.with_user(user or self.agent)
        form = self.composer(mention.action_answer(), user)
        form.text = text
        for name, value in values.items():
            setattr(form, name, value)
        wizard = form.save()
        wizard.action_send()
        return self.env['social.crm.engagement'].browse(wizard.sent_id.id)

    def deliver(self):
        """Let the loop send what is queued."""
        self.env.flush_all()
        with self.loop('social.crm.engagement') as Engagement:
            Engagement._deliver_due()

    def receive(self):
        """Receive, and fetch the conversations around what came in."""
        received = super().receive()
        with self.loop('social.crm.mention') as Mention:
            Mention._fetch_contexts()
        return received
