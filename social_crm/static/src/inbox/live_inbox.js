import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { listView } from "@web/views/list/list_view";

import { onWillDestroy } from "@odoo/owl";

export const RELOAD_DELAY = 1000;

/**
 * Reload the view when mentions arrive: at most once per delay however many arrive, and not while
 * the user is in the middle of something that a reload would undo.
 */
const LiveInbox = (Controller) =>
    class extends Controller {
        setup() {
            super.setup();
            const bus = useService("bus_service");
            this.ui = useService("ui");
            const onMention = ({ company_id }) => {
                if (user.activeCompanies.some((company) => company.id === company_id)) {
                    this.scheduleReload();
                }
            };
            bus.subscribe("social_crm.mention", onMention);
            bus.start();
            onWillDestroy(() => {
                bus.unsubscribe("social_crm.mention", onMention);
                browser.clearTimeout(this.reloadTimer);
            });
        }

        scheduleReload() {
            this.reloadTimer ??= browser.setTimeout(async () => {
                this.reloadTimer = undefined;
                if (this.isBusy) {
                    this.scheduleReload();
                } else {
                    // An empty view shows samples that cannot be clicked: that is over now.
                    this.model.useSampleModel = false;
                    await this.model.load();
                }
            }, RELOAD_DELAY);
        }

        get isBusy() {
            const { editedRecord, selection } = this.model.root;
            const dragging = this.rootRef.el?.querySelector(".o_dragged");
            // A dialog reloads the view as it closes and waits for that: a reload of ours in the
            // same moment would supersede it, and the dialog would stay for good.
            const dialog = this.ui.activeElement !== document;
            return Boolean(dialog || dragging || editedRecord || selection?.length);
        }
    };

registry.category("views").add("social_crm_inbox_kanban", {
    ...kanbanView,
    Controller: LiveInbox(kanbanView.Controller),
});
registry.category("views").add("social_crm_inbox_list", {
    ...listView,
    Controller: LiveInbox(listView.Controller),
});
