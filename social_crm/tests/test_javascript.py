from odoo.tests import no_retry, tagged

from odoo.addons.web.tests import test_js


@tagged('post_install', '-at_install')
class TestJavascript(test_js.HOOTCommon):
    """The unit tests of this module's JavaScript, run by Odoo's HOOT in a browser."""

    def get_hoot_filters(self):
        self._test_params = [('+', '@social_crm')]
        return super().get_hoot_filters()

    test_generate_hoot_hash = test_get_hoot_filter = None  # tests of Odoo's own, inherited

    @no_retry
    def test_unit_desktop(self):
        self.browser_js(
            f'/web/tests?headless&loglevel=2&preset=desktop&timeout=15000{self.hoot_filters}',
            '',
            '',
            login='admin',
            timeout=600,
            success_signal='[HOOT] Test suite succeeded',
            error_checker=test_js.unit_test_error_checker,
        )
