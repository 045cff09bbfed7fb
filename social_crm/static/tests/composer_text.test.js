import { defineMailModels } from "@mail/../tests/mail_test_helpers";

import { COUNT_DELAY } from "@social_crm/composer/text_field";

import { advanceTime, animationFrame, describe, expect, test } from "@odoo/hoot";
import { edit, queryOne } from "@odoo/hoot-dom";
import {
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");

class Compose extends models.Model {
    _name = "social.crm.compose";

    text = fields.Text({
        onChange: (record) => {
            record.text_count = record.text.length + 6;
        },
    });
    text_count = fields.Integer();
    text_limit = fields.Integer({ default: 20 });
}

defineMailModels();
defineModels([Compose]);

test("a text is counted by the server while it is typed, and stays as it is", async () => {
    onRpc("social.crm.compose", "onchange", () => expect.step("onchange"));
    await mountView({
        type: "form",
        resModel: "social.crm.compose",
        arch: `
            <form>
                <field name="text_count" invisible="1"/>
                <field name="text_limit" invisible="1"/>
                <field name="text" widget="social_crm_text"
                       options="{'length_field': 'text_count', 'limit_field': 'text_limit'}"/>
            </form>`,
    });
    expect.verifySteps(["onchange"]);
    await contains(".o_field_social_crm_text textarea").click();
    await edit("hello ", { confirm: false });
    await advanceTime(COUNT_DELAY);
    await animationFrame();
    expect.verifySteps(["onchange"]);
    expect(".o_social_crm_count").toHaveText("12 / 20");
    expect(queryOne(".o_field_social_crm_text textarea").value).toBe("hello ");
    expect(".o_social_crm_count").not.toHaveClass("text-danger");

    await edit("hello, how do you do", { confirm: false });
    await advanceTime(COUNT_DELAY);
    await animationFrame();
    expect.verifySteps(["onchange"]);
    expect(".o_social_crm_count").toHaveText("26 / 20");
    expect(".o_social_crm_count").toHaveClass("text-danger");
});
