/** What a website can say, in `LS.init` or as `data-…` of the script's tag. */
export interface Options {
  /** The project's write key. */
  apiKey: string;
  /** Where LeadPulse is; else where this script came from. */
  host: string;
  /** false: no page_view but those by `LS.page()`. */
  pageViews?: boolean;
  /** false: no form_submit. */
  forms?: boolean;
  /** false: no download and outbound_click. */
  clicks?: boolean;
  /** false: Do Not Track and Global Privacy Control are not asked for. */
  respectDnt?: boolean;
  /** true: nothing is kept or sent before `LS.consent(true)`. */
  requireConsent?: boolean;
  /** true: all is a test, and left out of figures. */
  test?: boolean;
}

export const options: Options = { apiKey: "", host: "" };

/** `data-page-views="false"` and its like; an attribute without a value is true. */
export function fromTag(tag: HTMLOrSVGScriptElement | null): Partial<Options> {
  return Object.fromEntries(
    Object.entries(tag?.dataset ?? {}).map(([name, value]) => [
      name,
      value === "false" ? false : value === "" || value === "true" || value,
    ]),
  );
}
