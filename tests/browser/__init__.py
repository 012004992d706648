"""Stories told in a real Chromium, before a real server with a real database.

A story is a plain function (no `async`) that asks for what it needs:

    def test_a_lead_is_found_by_its_address(site: Site) -> None:
        "Typing into the search leaves the one lead, and the address says so."
        ada = site.account()                                   # with a project of her own
        ada.send({"event": "demo_request", "email": "x@example.com"})
        ada.lead("x@example.com")                              # waits until it is scored
        page = site.open("/leads", ada)                        # logged in, 1440 px, light
        page.get_by_role("searchbox").fill("x@")
        expect(page.get_by_role("row")).to_have_count(2)
        axe(page)                                              # both themes
        look(page, "leads")                                    # both widths; pictures by make looks

- `site.account()`, `ada.with_member("viewer")`, `ada.send(…)`, `ada.send_trusted(…)`,
  `ada.lead(…)`, `ada.call("POST", path, body)`: see tests/support/office.py. Accounts cost some
  50 ms each: make fresh ones, share nothing.
- `site.open(path, account, width=PHONE, theme="dark")`: a page in a browser profile of its own;
  without an account nobody is logged in. Two of them are two people at their own machines;
  `page.context.new_page()` is a second tab. All are closed at the end.
- `axe(page)`, `look(page, name)`, `wear(page, "dark")`: see tests/support/browser.py.
- A test fails when any page wrote an error to the console, broke its policy, threw, asked another
  host, or got a 5xx. What a test causes itself it allows: `site.watch.allow(r"503")`.
- Find things as people do: by role, label and text. `expect(…)` waits; never sleep.
- One story takes a few seconds: `.venv/bin/pytest tests/browser -n 2 -q`, after `make setup` has
  built what is served. A failure says where the pictures of its pages are; `make looks` draws all.
"""
