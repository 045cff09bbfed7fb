from odoo import api, fields, models

WEEKDAYS = ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')


class SocialCrmWeekdaysMixin(models.AbstractModel):
    """Days of the week to tick, under the names that the web client's ``week_days`` wants."""

    _name = 'social.crm.weekdays.mixin'
    _description = 'Days of the Week'

    mon = fields.Boolean()
    tue = fields.Boolean()
    wed = fields.Boolean()
    thu = fields.Boolean()
    fri = fields.Boolean()
    sat = fields.Boolean()
    sun = fields.Boolean()

    def _weekdays(self):
        """Return the ticked days as numbers, Monday is 0."""
        self.ensure_one()
        return [number for number, name in enumerate(WEEKDAYS) if self[name]]

    def _weekday_labels(self):
        """Return the ticked days in words, in the user's language."""
        return [self._weekday_label(number) for number in self._weekdays()]

    @api.model
    def _weekday_label(self, number):
        name = WEEKDAYS[number]
        return self.fields_get([name], ['string'])[name]['string']
