"""The search box: patients, cases and open tasks, each as far as one may see it."""


def test_staff_find_patients_cases_and_tasks(house):
    alice = house.visitor("alice")
    house.select("sample-pending", alice)
    case = house.enrollment.engine.queries.instances()[0].id
    page = alice.get("/search?q=hana").text
    assert "Hana Example" in page
    assert f"/cases/{case}" in page
    assert f"/inbox/{case}:" in page
    grouped = f"{case[:4]}-{case[4:8]}-{case[8:]}"
    assert grouped in page
    for typed in (case, grouped, case[:5], grouped.lower(), case.replace("0", "o").replace("1", "l")):
        assert f"/cases/{case}" in alice.get(f"/search?q={typed}").text, typed
    assert "Resend Invitation" in alice.get("/search?q=resend").text


def test_others_find_what_is_theirs(house):
    house.select("sample-pending")
    case = house.enrollment.engine.queries.instances()[0].id
    charlie = house.visitor("charlie")
    assert f"/cases/{case}" not in charlie.get(f"/search?q={case}").text
    found = charlie.get("/search?q=hana").text
    assert case not in found
    audrey = house.visitor("audrey").get("/search?q=hana").text
    assert f"/cases/{case}" in audrey
    assert "/inbox/" not in audrey
    assert "Cases of Hana Example" in house.visitor("audrey").get("/cases?patient=sample-pending").text
    for name in ("ana", "adam"):
        visitor = house.visitor(name)
        assert visitor.get("/search?q=hana").status_code == 403
        assert 'role="search"' not in visitor.get("/").text


def test_nothing_fits_but_something_is_like_it(house):
    alice = house.visitor("alice")
    near = alice.get("/search?q=hannah").text
    assert "Nothing fits “hannah”" in near
    assert "Hana Example" in near
    nothing = alice.get("/search?q=%25%25%25").text
    assert "Nothing is like it either" in nothing
    assert alice.get("/search").status_code == 200
