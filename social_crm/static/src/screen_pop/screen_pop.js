import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { Component, markup, useState } from "@odoo/owl";

const FOLDED = "social_crm.screen_pop.folded";

/**
 * Who this is, beside a lead, ticket, mention or contact: read after the form, so that the form
 * does not wait for it, and only while it is unfolded.
 */
export class ScreenPop extends Component {
    static template = "social_crm.ScreenPop";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.state = useState({
            card: "",
            known: false,
            open: browser.localStorage.getItem(FOLDED) !== "1",
        });
        useRecordObserver((record) => {
            this.profileIds = this.profilesOf(record);
            this.state.known = this.profileIds.length > 0;
            this.load();
        });
    }

    /** The profiles that the record is about. */
    profilesOf({ data }) {
        const one = data.social_profile_id || data.author_id;
        return one ? [one.id] : (data.social_profile_ids?.resIds ?? []);
    }

    async load() {
        if (!this.state.open || !this.state.known) {
            this.state.card = "";
            return;
        }
        const ids = this.profileIds;
        const card = await this.orm.silent.call("social.crm.profile", "get_screen_pop", [ids]);
        if (ids === this.profileIds) {
            this.state.card = markup(card); // rendered on the server, from escaped values
        }
    }

    toggle() {
        this.state.open = !this.state.open;
        browser.localStorage.setItem(FOLDED, this.state.open ? "0" : "1");
        this.load();
    }
}

registry.category("view_widgets").add("social_crm_screen_pop", { component: ScreenPop });
