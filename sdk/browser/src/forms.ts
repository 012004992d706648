import { record } from "./events";
import { safe } from "./safe";

const MOST_FIELDS = 50;
// A field for a password stays one while its letters are shown.
const SECRET = /pass|pwd/i;
const FIELDS =
  "input:not([type=password],[type=hidden],[type=submit],[autocomplete*=password]),select,textarea";

/** Names of the fields that a person fills in; values are never looked at. */
function fieldNames(form: Element): string[] {
  const names = [...form.querySelectorAll(FIELDS)].map((field) => field.getAttribute("name") ?? "");
  return [...new Set(names)].filter((name) => name && !SECRET.test(name)).slice(0, MOST_FIELDS);
}

/** Records a form_submit for each form but those within `data-ls-ignore`. */
export function watchForms(): void {
  addEventListener(
    "submit",
    safe(({ target }) => {
      if (!(target instanceof Element) || target.closest("[data-ls-ignore]")) return;
      // Attributes, since a field named "id" hides the property.
      const form = target.getAttribute("id") ?? target.getAttribute("name") ?? undefined;
      record("form_submit", { form, fields: fieldNames(target) });
    }),
    true,
  );
}
