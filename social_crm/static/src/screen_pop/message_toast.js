import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

/** A direct message that concerns this user pops up, with a way to open it. */
export const messageToast = {
    dependencies: ["action", "bus_service", "notification"],
    start(_env, { action, bus_service, notification }) {
        bus_service.subscribe("social_crm.message", ({ id, title, text }) => {
            const close = notification.add(text, {
                title,
                type: "info",
                className: "o_social_crm_toast",
                autocloseDelay: 15000,
                buttons: [
                    {
                        name: _t("Open"),
                        primary: true,
                        onClick: () => {
                            close();
                            action.doAction({
                                type: "ir.actions.act_window",
                                res_model: "social.crm.mention",
                                res_id: id,
                                views: [[false, "form"]],
                            });
                        },
                    },
                ],
            });
        });
        bus_service.start();
    },
};

registry.category("services").add("social_crm.message_toast", messageToast);
