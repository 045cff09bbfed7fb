import "@mail/chatter/web/chatter_patch";
import { Chatter } from "@mail/chatter/web_portal/chatter";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";

import { onWillDestroy } from "@odoo/owl";

/**
 * A lead's or ticket's chatter offers to answer on the network, beside the ways that stay inside;
 * and what was sent shows by itself as soon as it stands there.
 */
patch(Chatter.prototype, {
    setup() {
        super.setup();
        const bus = useService("bus_service");
        const onChange = (payload) => this.onSocialChange(payload);
        bus.subscribe("social_crm.mention", onChange);
        onWillDestroy(() => bus.unsubscribe("social_crm.mention", onChange));
    },

    /** The network's name, empty where nothing can be answered on one (or not by this user). */
    get socialNetwork() {
        const { record } = this.props;
        const network = record?.data.social_network;
        const options = record?.fields.social_network?.selection ?? [];
        return options.find(([value]) => value === network)?.[1] ?? "";
    },

    get answerTitle() {
        return _t("Answer on %s: nothing goes out before you press Send there", this.socialNetwork);
    },

    async answerOnNetwork() {
        if (this.props.saveRecord && !(await this.props.saveRecord())) {
            return;
        }
        const { model, id } = this.state.thread;
        const action = await this.orm.call(model, "action_social_answer", [[id]]);
        await this.env.services.action.doAction(action);
    },

    async onSocialChange({ ids, threads = [] }) {
        const { thread } = this.state;
        const concerned =
            (thread?.model === "social.crm.mention" && ids.includes(thread.id)) ||
            threads.some(([model, id]) => thread?.model === model && thread?.id === id);
        if (!concerned) {
            return;
        }
        thread.fetchNewMessages();
        const { record } = this.props;
        if (record && !(await record.isDirty())) {
            await record.load();
        }
    },
});
