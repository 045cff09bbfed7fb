import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { CalendarCommonRenderer } from "@web/views/calendar/calendar_common/calendar_common_renderer";
import { CalendarModel } from "@web/views/calendar/calendar_model";
import { CalendarRenderer } from "@web/views/calendar/calendar_renderer";
import { calendarView } from "@web/views/calendar/calendar_view";

const { DateTime, Settings } = luxon;

/** How many posts of a day are loaded; the day itself shows the others. */
const PER_DAY = { day: 500, week: 40, month: 8, year: 2 };

/**
 * A calendar that stays quick with thousands of posts: it loads some per day and says how many more
 * there are.
 */
export class PostCalendarModel extends CalendarModel {
    async fetchRecords(data) {
        const { activeFields, context, fieldNames, resModel, scale } = this.meta;
        const names = [...new Set([...fieldNames, ...Object.keys(activeFields)])];
        const zone = Settings.defaultZone.name;
        const args = [this.computeDomain(data), names, zone, PER_DAY[scale]];
        const { records, more } = await this.orm.call(resModel, "calendar_posts", args, {
            context,
        });
        data.more = more;
        return records;
    }

    async updateData(data) {
        await super.updateData(data);
        if (this.meta.scale === "year") {
            return;
        }
        for (const [day, count] of Object.entries(data.more)) {
            const record = this.makeMoreRecord(DateTime.fromISO(day), count);
            data.records[record.id] = record;
        }
    }

    makeMoreRecord(day, count) {
        const start = day.set({ hour: 23, minute: 45 });
        return {
            id: `more_${day.toISODate()}`,
            title: _t("%s more…", count),
            moreOf: day,
            isAllDay: false,
            isTimeHidden: true,
            isMonth: this.meta.scale === "month",
            isSmall: this.env.isSmall,
            start,
            startType: "datetime",
            end: start.plus({ minutes: 10 }),
            endType: "datetime",
            duration: 0.25,
            colorIndex: false,
            rawRecord: {},
        };
    }
}

export class PostCalendarCommonRenderer extends CalendarCommonRenderer {
    convertRecordToEvent(record) {
        const event = super.convertRecordToEvent(record);
        return record.moreOf ? { ...event, editable: false } : event;
    }

    onClick(info) {
        const day = this.props.model.records[info.event.id]?.moreOf;
        if (day) {
            this.props.model.load({ date: day, scale: "day" });
        } else {
            super.onClick(info);
        }
    }

    onDblClick(info) {
        if (!this.props.model.records[info.event.id]?.moreOf) {
            super.onDblClick(info);
        }
    }
}

export class PostCalendarRenderer extends CalendarRenderer {
    static components = {
        ...CalendarRenderer.components,
        day: PostCalendarCommonRenderer,
        week: PostCalendarCommonRenderer,
        month: PostCalendarCommonRenderer,
    };
}

registry.category("views").add("social_crm_post_calendar", {
    ...calendarView,
    Model: PostCalendarModel,
    Renderer: PostCalendarRenderer,
});
