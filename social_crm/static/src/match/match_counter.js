import { rpcBus } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";
import { NavBar } from "@web/webclient/navbar/navbar";

import { reactive, useState } from "@odoo/owl";

const APP = "social_crm.social_crm_menu";
const MODEL = "social.crm.match";

/**
 * How many suggestions wait for a decision. Asked when the app is opened, a screen of it changes,
 * or something is decided; nothing is asked outside of the app.
 */
export const matchCounterService = {
    dependencies: ["menu", "orm"],
    start(env, { menu, orm }) {
        const counter = reactive({ menu: "social_crm.social_crm_match_menu", count: 0 });
        const group = "social_crm.social_crm_group_user";

        async function update() {
            if (menu.getCurrentApp()?.xmlid === APP && (await user.hasGroup(group))) {
                const domain = [["state", "=", "suggested"]];
                counter.count = await orm.silent.searchCount(MODEL, domain);
            }
        }

        env.bus.addEventListener("MENUS:APP-CHANGED", update);
        env.bus.addEventListener("ACTION_MANAGER:UI-UPDATED", update);
        rpcBus.addEventListener("RPC:RESPONSE", ({ detail }) => {
            const { model, method } = detail.data.params;
            if (model === MODEL && method?.startsWith("action_")) {
                update();
            }
        });
        return counter;
    },
};

registry.category("services").add("social_crm.match_counter", matchCounterService);

patch(NavBar.prototype, {
    setup() {
        super.setup();
        this.socialCrmMatches = useState(useService("social_crm.match_counter"));
    },
});
