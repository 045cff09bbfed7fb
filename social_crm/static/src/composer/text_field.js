import { registry } from "@web/core/registry";
import { useDebounced } from "@web/core/utils/timing";
import { TextField, textField } from "@web/views/fields/text/text_field";

import { useEffect } from "@odoo/owl";

export const COUNT_DELAY = 300;

/**
 * A text that is counted while it is typed, the way its network counts: the server knows how, so the
 * text is committed shortly after each pause, and what depends on it (count, problems, preview)
 * comes back by its onchange.
 */
export class SocialCrmTextField extends TextField {
    static template = "social_crm.TextField";
    static props = {
        ...TextField.props,
        lengthField: { type: String, optional: true },
        limitField: { type: String, optional: true },
    };

    setup() {
        super.setup();
        const commit = useDebounced(() => {
            this.textareaRef.el?.dispatchEvent(new Event("change"));
        }, COUNT_DELAY);
        useEffect(
            (el) => {
                el?.addEventListener("input", commit);
                return () => el?.removeEventListener("input", commit);
            },
            () => [this.textareaRef.el]
        );
    }

    /** Blanks at the end stay while somebody types: more words may follow. */
    get shouldTrim() {
        return false;
    }

    get length() {
        return this.props.record.data[this.props.lengthField] || 0;
    }

    get limit() {
        return this.props.record.data[this.props.limitField] || 0;
    }
}

export const socialCrmTextField = {
    ...textField,
    component: SocialCrmTextField,
    supportedTypes: ["text"],
    extractProps: (fieldInfo, dynamicInfo) => ({
        ...textField.extractProps(fieldInfo, dynamicInfo),
        lengthField: fieldInfo.options.length_field,
        limitField: fieldInfo.options.limit_field,
    }),
};

registry.category("fields").add("social_crm_text", socialCrmTextField);
