import os
from playwright.sync_api import Page
def test_shots(clinic, desk):
    for n in range(70):
        p=clinic.add(("Not Enrolled","Pending","Declined")[n%3], last_name=f"Quill{n}", **({"email":None,"zip_code":None} if n%3==0 else {}))
        clinic.trigger(p)
    page=desk("alice")
    out="/tmp/shots/"; os.makedirs(out,exist_ok=True)
    page.set_viewport_size({"width":1440,"height":900})
    page.goto("/inbox"); page.wait_for_selector("body[data-ready]")
    page.keyboard.press("j"); page.keyboard.press("j"); page.keyboard.press("x"); page.wait_for_timeout(800)
    page.screenshot(path=out+"desk.png")
    page.locator(".chip summary").first.click(); page.wait_for_timeout(100)
    page.screenshot(path=out+"menu.png")
    page.keyboard.press("Escape")
    page.goto("/inbox?kind=enrollment%2FUpdateNow&due=friday"); page.wait_for_timeout(300)
    page.emulate_media(color_scheme="dark"); page.screenshot(path=out+"filtered-dark.png"); page.emulate_media(color_scheme="light")
    page.locator("a.task").first.focus(); page.keyboard.press("Enter"); page.wait_for_selector("body[data-ready]"); page.wait_for_timeout(300)
    page.screenshot(path=out+"task.png")
    page.set_viewport_size({"width":360,"height":740}); page.goto("/inbox"); page.wait_for_timeout(300); page.screenshot(path=out+"360.png")
    print(page.evaluate("document.documentElement.scrollWidth"))
    page.set_viewport_size({"width":1280,"height":800}); page.goto("/inbox"); page.wait_for_timeout(300); page.screenshot(path=out+"1280.png")
