import { defineMailModels } from "@mail/../tests/mail_test_helpers";

import "@social_crm/post/post_calendar";

import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { click, queryAllTexts } from "@odoo/hoot-dom";
import { advanceTime, animationFrame, mockDate } from "@odoo/hoot-mock";
import { defineModels, fields, models, mountView, onRpc } from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");

const POSTS = [
    { id: 1, display_name: "First", due_at: "2031-03-10 08:00:00", color: 4, state: "draft" },
    { id: 2, display_name: "Second", due_at: "2031-03-10 09:00:00", color: 4, state: "draft" },
];

class Post extends models.Model {
    _name = "social.crm.post";

    name = fields.Char();
    due_at = fields.Datetime();
    color = fields.Integer();
    state = fields.Selection({ selection: [["draft", "Draft"]] });

    _views = {
        calendar: `
            <calendar js_class="social_crm_post_calendar" date_start="due_at" color="color" mode="month" event_open_popup="1">
                <field name="state" filters="1"/>
            </calendar>`,
    };
}

defineMailModels();
defineModels([Post]);

beforeEach(() => {
    mockDate("2031-03-05 12:00:00", 0);
    onRpc("calendar_posts", ({ args }) => {
        const [, , zone, perDay] = args;
        expect.step(`${perDay} per day`);
        expect(typeof zone).toBe("string");
        return { records: POSTS, more: perDay === 8 ? { "2031-03-10": 172 } : {} };
    });
});

test("a day with many posts shows some and says how many more there are", async () => {
    await mountView({ type: "calendar", resModel: "social.crm.post" });
    expect.verifySteps(["8 per day"]);
    expect(queryAllTexts(".o_event").join(" ")).toMatch(/First.*Second.*172 more…/s);
    expect(".o_calendar_filter_item[data-value=draft]").toHaveCount(1);
});

test("a click on the others opens their day", async () => {
    await mountView({ type: "calendar", resModel: "social.crm.post" });
    expect.verifySteps(["8 per day"]);
    await click(".o_event:contains('172 more')");
    await advanceTime(300);
    await animationFrame();
    expect.verifySteps(["500 per day"]);
    expect(".fc-timeGridDay-view").toHaveCount(1);
    expect(".o_cw_popover").toHaveCount(0);
});
