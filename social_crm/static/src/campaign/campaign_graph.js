import { onWillUpdateProps } from "@odoo/owl";
import { registry } from "@web/core/registry";
import {
    JournalDashboardGraphField,
    journalDashboardGraphField,
} from "@web/views/fields/journal_dashboard_graph/journal_dashboard_graph_field";

/** Odoo's small graph of dashboards, for forms: it follows when another record is shown. */
export class CampaignGraph extends JournalDashboardGraphField {
    setup() {
        super.setup();
        onWillUpdateProps((next) => {
            this.data = JSON.parse(next.record.data[next.name] || "[]");
        });
    }

    renderChart() {
        if (this.data.length) {
            super.renderChart();
        }
    }
}

registry.category("fields").add("social_crm_graph", {
    ...journalDashboardGraphField,
    component: CampaignGraph,
});
