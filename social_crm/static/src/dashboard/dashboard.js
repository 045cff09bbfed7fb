import { Component, onWillStart, onWillUnmount, useEffect, useRef, useState } from "@odoo/owl";

import { loadBundle } from "@web/core/assets";
import { cookie } from "@web/core/browser/cookie";
import { formatDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { formatFloat, formatInteger, formatMonetary } from "@web/views/fields/formatters";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

const { Info } = luxon;

const TONES = { positive: "#2e9e6b", neutral: "#8f9aa8", negative: "#d6455d", unknown: "#c9ced6" };
const PERIODS = [7, 30, 90, 365];

/** Charts and numbers of a period; everything comes in one call, from sums. */
export class SocialDashboard extends Component {
    static template = "social_crm.Dashboard";
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ days: 30, data: null });
        this.trend = useRef("trend");
        this.charts = [];
        this.periods = PERIODS;
        onWillStart(() => Promise.all([loadBundle("web.chartjs_lib"), this.load()]));
        useEffect(
            () => this.draw(),
            () => [this.state.data]
        );
        onWillUnmount(() => this.clear());
    }

    async load(days = this.state.days) {
        this.state.days = days;
        const data = await this.orm.call("social.crm.dashboard", "get_data", [days]);
        if (days === this.state.days) {
            this.state.data = data;
        }
    }

    // --- numbers ---------------------------------------------------------------------------------

    get tiles() {
        const tiles = this.state.data.tiles;
        const answered = tiles.mention_count.map((all, place) =>
            all ? Math.round((100 * tiles.answered_count[place]) / all) : 0
        );
        const tile = (name, label, icon, values, action, format = formatInteger) => ({
            name,
            label,
            icon,
            action,
            value: format(values[0]),
            change: this.change(values),
        });
        const hours = (value) => _t("%s h", formatFloat(value, { digits: [16, 1] }));
        return [
            tile("mentions", _t("Mentions"), "fa-comments-o", tiles.mention_count, "mention_daily"),
            tile(
                "answered",
                _t("Answered"),
                "fa-reply",
                answered,
                "mention_daily",
                (n) => `${n} %`
            ),
            tile(
                "response",
                _t("First answer after"),
                "fa-clock-o",
                tiles.response_hours,
                "mention_daily",
                hours
            ),
            tile("leads", _t("On leads"), "fa-star-o", tiles.lead_count, "mention_daily"),
            tile("tickets", _t("On tickets"), "fa-life-ring", tiles.ticket_count, "mention_daily"),
            tile("engagement", _t("Reactions to posts"), "fa-heart-o", tiles.engagement, "metric"),
        ];
    }

    /** Return how a number changed against the period before, in words; nothing without one. */
    change([now, before]) {
        if (!before) {
            return "";
        }
        const percent = Math.round((100 * (now - before)) / before);
        return `${percent > 0 ? "+" : ""}${percent} %`;
    }

    money(value) {
        return formatMonetary(value, { currencyId: this.state.data.campaigns.currency_id });
    }

    slot({ weekday, hour }) {
        const day = Info.weekdays("long")[(weekday + 6) % 7];
        return `${day}, ${String(hour).padStart(2, "0")}:00`;
    }

    share(rule) {
        const all = this.state.data.voice.reduce((sum, one) => sum + one.count, 0);
        return Math.round((100 * rule.count) / all);
    }

    // --- charts ----------------------------------------------------------------------------------

    clear() {
        for (const chart of this.charts) {
            chart.destroy();
        }
        this.charts = [];
    }

    draw() {
        this.clear();
        const { trend } = this.state.data;
        const ink = cookie.get("color_scheme") === "dark" ? "#d6d9de" : "#4a5560";
        const grid = cookie.get("color_scheme") === "dark" ? "#3a3f47" : "#e8eaed";
        const scale = {
            stacked: true,
            ticks: { color: ink, maxRotation: 0 },
            grid: { color: grid },
        };
        this.charts.push(
            new Chart(this.trend.el, {
                type: "bar",
                data: {
                    labels: trend.labels.map((day) => formatDate(luxon.DateTime.fromISO(day))),
                    datasets: trend.series.map(({ tone, name, counts }) => ({
                        label: name,
                        data: counts,
                        backgroundColor: TONES[tone],
                        barPercentage: 0.95,
                        categoryPercentage: 0.95,
                    })),
                },
                options: {
                    maintainAspectRatio: false,
                    animation: false,
                    plugins: {
                        legend: { labels: { color: ink, boxWidth: 12 }, position: "bottom" },
                    },
                    scales: {
                        x: {
                            ...scale,
                            grid: { display: false },
                            ticks: { ...scale.ticks, maxTicksLimit: 10 },
                        },
                        y: { ...scale, beginAtZero: true, ticks: { ...scale.ticks, precision: 0 } },
                    },
                },
            })
        );
    }

    // --- ways on ---------------------------------------------------------------------------------

    open(name) {
        this.action.doAction(`social_crm.social_crm_${name}_action`);
    }

    openCampaign(id) {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "utm.campaign",
            res_id: id,
            views: [[false, "form"]],
        });
    }
}

registry.category("actions").add("social_crm.dashboard", SocialDashboard);
