import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

import { markup } from "@odoo/owl";

/** The first steps of a new user: where mentions arrive, and how a rule makes leads of them. */
registry.category("web_tour.tours").add("social_crm_tour", {
    url: "/odoo",
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {
            trigger: '.o_app[data-menu-xmlid="social_crm.social_crm_menu"]',
            content: markup(_t("What people write to you arrives in <b>Social CRM</b>.")),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: '[data-menu-xmlid="social_crm.social_crm_rule_menu"]',
            content: _t("A listening rule says what counts, and what is to be done with it."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_list_button_add, .o-kanban-button-new",
            content: _t("Make your first rule."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name='name'] input",
            content: _t("Give it a name, such as: Somebody wants a desk"),
            tooltipPosition: "bottom",
            run: "edit Somebody wants a desk",
        },
        {
            trigger: ".o_field_widget[name='keywords'] textarea",
            content: _t("One word or phrase per line; a star stands for any ending."),
            tooltipPosition: "right",
            run: "edit desk*",
        },
        {
            trigger: ".nav-link:contains('Then Do')",
            content: _t("What is to be done? Leads, tickets, notices…"),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name='action_ids'] .o_field_x2many_list_row_add a",
            content: _t("Add an action."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".modal .o_form_button_save",
            content: _t("To create a lead is a good beginning."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal)) .o_form_button_save",
            content: _t("Save it. From now on whoever writes about a desk becomes a lead."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            isActive: ["auto"],
            trigger: ".o_form_saved, .o_form_readonly, body:not(:has(.o_form_dirty))",
        },
    ],
});
