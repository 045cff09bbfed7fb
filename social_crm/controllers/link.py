from odoo.http import request, route

from odoo.addons.link_tracker.controller.main import LinkTracker

from .. import tracking


class SocialLinkTracker(LinkTracker):
    @route()
    def full_url_redirect(self, code, **post):
        """Redirect from a short link, and count the click if a person made it.

        Other modules' links are left to them. Links in social posts are told apart more closely:
        each is fetched by many servers, and opened in the browsers of the networks' own apps (which
        Odoo's list takes for bots). The redirect is a temporary one, for browsers keep permanent
        ones, and a second click would not be counted, nor would it follow a campaign that changed.
        """
        # sudo: a public page; the code is all that there is to know
        link = request.env['link.tracker.code'].sudo().search([('code', '=', code)]).link_id
        if not (link.social_publication_id or link.social_engagement_id):
            return super().full_url_redirect(code, **post)
        http = request.httprequest
        purpose = f'{http.headers.get("Sec-Purpose", "")} {http.headers.get("Purpose", "")}'
        if tracking.is_person(http.user_agent.string or '', purpose, http.method):
            # sudo: as above
            request.env['link.tracker.click'].sudo().add_click(
                code, ip=http.remote_addr, country_code=request.geoip.country_code
            )
        return request.redirect(link.redirected_url, code=302, local=False)
