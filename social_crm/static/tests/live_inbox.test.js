import { startBusService, waitNotifications } from "@bus/../tests/bus_test_helpers";

import { defineMailModels } from "@mail/../tests/mail_test_helpers";

import { RELOAD_DELAY } from "@social_crm/inbox/live_inbox";

import { advanceTime, animationFrame, describe, expect, test } from "@odoo/hoot";
import { click } from "@odoo/hoot-dom";
import {
    contains,
    defineModels,
    fields,
    getService,
    MockServer,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";

describe.current.tags("desktop");

class Mention extends models.Model {
    _name = "social.crm.mention";

    text = fields.Char();
    state = fields.Selection({
        selection: [
            ["new", "New"],
            ["open", "In Progress"],
        ],
    });

    _records = [
        { id: 1, text: "first", state: "new" },
        { id: 2, text: "second", state: "open" },
    ];
}

defineMailModels();
defineModels([Mention]);

const KANBAN = /* xml */ `
    <kanban js_class="social_crm_inbox_kanban">
        <templates><t t-name="card"><field name="text"/></t></templates>
    </kanban>`;
const LIST = /* xml */ `
    <list js_class="social_crm_inbox_list" multi_edit="1"><field name="text"/></list>`;

async function mountInbox(type, options = {}) {
    await mountView({
        type,
        resModel: "social.crm.mention",
        arch: type === "kanban" ? KANBAN : LIST,
        ...options,
    });
    await startBusService();
    onRpc("social.crm.mention", "web_search_read", () => expect.step("reload"));
    onRpc("social.crm.mention", "web_read_group", () => expect.step("reload"));
}

async function arrive(text, companyId = 1) {
    const { env } = MockServer;
    const id = env["social.crm.mention"].create({ text, state: "new" });
    const payload = { ids: [id], company_id: companyId };
    env["bus.bus"]._sendone("broadcast", "social_crm.mention", payload);
    await waitNotifications(["social_crm.mention", payload]);
}

async function wait() {
    await advanceTime(RELOAD_DELAY);
    await animationFrame();
}

test("a kanban shows what arrives, with one reload for many", async () => {
    await mountInbox("kanban");
    expect(".o_kanban_record:not(.o_kanban_ghost)").toHaveCount(2);
    await arrive("third");
    await arrive("fourth");
    await wait();
    expect.verifySteps(["reload"]);
    expect(".o_kanban_record:not(.o_kanban_ghost)").toHaveCount(4);
    await arrive("fifth");
    await wait();
    expect.verifySteps(["reload"]);
    expect(".o_kanban_record:not(.o_kanban_ghost)").toHaveCount(5);
});

test("a list shows what arrives", async () => {
    await mountInbox("list");
    await arrive("third");
    await wait();
    expect.verifySteps(["reload"]);
    expect(".o_data_row").toHaveCount(3);
});

test("what arrives in a company that is not looked at reloads nothing", async () => {
    await mountInbox("kanban");
    await arrive("third", 99);
    await wait();
    expect.verifySteps([]);
});

test("a list waits while rows are selected", async () => {
    await mountInbox("list");
    await click(".o_data_row:first .o_list_record_selector input");
    await animationFrame();
    await arrive("third");
    await wait();
    await wait();
    expect.verifySteps([]);
    expect(".o_data_row_selected").toHaveCount(1);
    await click(".o_data_row:first .o_list_record_selector input");
    await animationFrame();
    await wait();
    expect.verifySteps(["reload"]);
    expect(".o_data_row").toHaveCount(3);
});

test("a kanban waits while a card is dragged", async () => {
    await mountInbox("kanban", { groupBy: ["state"] });
    const { drop } = await contains(".o_kanban_record:contains(first)").drag();
    await arrive("third");
    await wait();
    expect.verifySteps([]);
    await drop();
    await wait();
    expect.verifySteps(["reload"]);
    expect(".o_kanban_record:not(.o_kanban_ghost)").toHaveCount(3);
});

test("a kanban waits while a dialog is open, which closes with a reload of its own", async () => {
    await mountInbox("kanban");
    const close = getService("dialog").add(ConfirmationDialog, { body: "an answer" });
    await animationFrame();
    await arrive("third");
    await wait();
    expect.verifySteps([]);
    close();
    await animationFrame();
    await wait();
    expect.verifySteps(["reload"]);
});

test("the first mention ends the sample data of an empty inbox", async () => {
    Mention._records = [];
    await mountInbox("kanban", { arch: KANBAN.replace("js_class", 'sample="1" js_class') });
    expect(".o_view_sample_data").toHaveCount(1);
    await arrive("first of all");
    await wait();
    expect(".o_view_sample_data").toHaveCount(0);
    expect(".o_kanban_record:not(.o_kanban_ghost)").toHaveCount(1);
    expect.verifySteps(["reload"]);
});
