"""Translation of other products' diagrams: translated with a finding or refused, and stable when repeated."""

import json
from datetime import UTC, datetime

import pytest
from foreign import documents
from usher_engine.definitions import FLOW_NODES, Package, parse_xml, read_diagram, translate
from usher_engine.definitions.translation.feel import feel
from usher_engine.definitions.translation.juel import juel
from usher_engine.definitions.translation.lexer import NotUnderstood
from usher_engine.expressions import compile_expression, compile_script

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t"
 xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:flowable="http://flowable.org/bpmn"
 xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">"""


def process(body):
    text = f'{HEAD}<process id="p" isExecutable="true"><startEvent id="s"/>{body}<endEvent id="e"/></process>'
    return f"{text}</definitions>".encode()


def translated(body, **files):
    package = Package({"p.bpmn": process(body), **{k.replace("__", "."): v for k, v in files.items()}})
    after, findings = translate(package)
    again, _ = translate(after)
    assert again.files == after.files
    diagram = read_diagram(parse_xml(after.files["p.bpmn"], "p.bpmn"), "p.bpmn")
    return after, diagram.processes[0], findings


def node(body, key="t", **files):
    after, drawn, findings = translated(body, **files)
    return drawn.node(key), findings, after


def by_severity(findings, severity):
    return [(f.element, f.rule) for f in findings if f.severity == severity]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("${approved}", "approved"),
        ("#{ !approved }", "not approved"),
        ("${a && b || c}", "a and b or c"),
        ("${a && (b || c)}", "a and (b or c)"),
        ("${x eq 'y' and n ge 3}", 'x == "y" and n >= 3'),
        ("${!(a && b)}", "not (a and b)"),
        ("${x == null}", 'get("x") is None'),
        ("${null != order.id}", "order.id is not None"),
        ("${empty items}", 'get("items") in [None, "", [], {}]'),
        ("${not empty a.b || c}", 'not a.b in [None, "", [], {}] or c'),
        ("${loopCounter * 2}", "(loopCounter - 1) * 2"),
        ('${execution.getVariable("x") > 5}', 'get("x") > 5'),
        ("${state.equals('done')}", 'state == "done"'),
        ("${tags.contains('a')}", '"a" in tags'),
        ("${items.size() > 0}", "len(items) > 0"),
        ("${a ? 1 : 2}", "1 if a else 2"),
        ("${-a * (b + 2) / 3 mod 4}", "-a * (b + 2) / 3 % 4"),
        ("${map['key'].part}", 'map["key"].part'),
        ("${class == 1}", 'get("class") == 1'),
    ],
)
def test_juel(source, expected):
    assert juel(source) == expected
    compile_expression(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('= x = "a"', 'x == "a"'),
        ("=a and b", "a and b"),
        ("=not(x)", "not x"),
        ("=x > 5 and y != null", 'x > 5 and get("y") is not None'),
        ("=x in [1..5]", "1 <= x <= 5"),
        ("=x in (1..5)", "1 < x < 5"),
        ('=x in ("a", "b")', 'x in ["a", "b"]'),
        ("=x between 1 and 5 or y", "1 <= x <= 5 or y"),
        ("=if a then 1 else 2", "1 if a else 2"),
        ('=list contains(tags, "a")', '"a" in tags'),
        ("=is defined(x)", 'get("x") is not None'),
        ('=upper case(name) + "!"', 'name.upper() + "!"'),
        ("=items[1]", "items[0]"),
        ("=count(items) = 0", "len(items) == 0"),
        ('=date("2026-01-01") < today()', '"2026-01-01" < today()'),
    ],
)
def test_feel(source, expected):
    assert feel(source) == expected
    compile_expression(expected)


@pytest.mark.parametrize(
    "source",
    [
        "${bean.check(x)}", "${execution.setVariable('a', 1)}", "${a", "Hello ${name}", "${a}${b}", "${}", "${a b}",
        "${a == b == c}", "${fn:length(x)}", "${x._y}", "${'a' + b}", "${" + "(" * 200 + "a" + ")" * 200 + "}",
        "${" + "!" * 3_000 + "a}", "${" + "a" * 5_000 + "}", "${a ? b}", "${§}", "${'\\", "#{a.b.c()}",
    ],
)  # fmt: skip
def test_juel_that_is_not_understood_is_refused_with_a_reason(source):
    with pytest.raises(NotUnderstood, match=r"\w"):
        juel(source)


@pytest.mark.parametrize(
    "source",
    ["=", "=some x in y satisfies x", "=items[x > 1]", "=f(x)", "=a ** b", "=for x in y", "=now()", "=x in [1"],
)
def test_feel_that_is_not_understood_is_refused_with_a_reason(source):
    with pytest.raises(NotUnderstood, match=r"\w"):
        feel(source)


def test_conditions_and_timers_are_read_where_they_stand():
    condition = "<conditionExpression>{}</conditionExpression>"
    flow = f'<sequenceFlow id="f" sourceRef="s" targetRef="e">{condition}</sequenceFlow>'
    _, drawn, findings = translated(flow.format("${a == 1}"))
    assert drawn.flows[0].condition == "a == 1"
    assert by_severity(findings, "info") == [("f", "translated")]
    _, drawn, findings = translated(flow.format("${bean.a()}"))
    assert drawn.flows[0].condition == "${bean.a()}"
    assert by_severity(findings, "error") == [("f", "not-translated")]


def test_user_task_of_camunda_7():
    task, findings, _ = node(
        '<userTask id="t" camunda:assignee="demo" camunda:candidateGroups="clerks" camunda:dueDate="P3D" '
        'camunda:priority="70" camunda:formRef="ask" camunda:asyncBefore="true"/>',
        ask__form=b'{"components": [{"type": "checkbox", "key": "ok", "label": "Fine?"}]}',
    )
    assert task.properties["candidateGroups"] == "clerks"
    assert (task.properties["dueIn"], task.properties["priority"]) == ("P3D", "70")
    assert task.properties["form"] == "ask.form"
    lifted = compile_script(task.extensions["postScript"]).run({task.properties["resultVariable"]: {"ok": True}}, NOW)
    assert lifted["ok"] is True
    assert by_severity(findings, "warning") == [("t", "translated")]  # the assignee
    assert ("t", "foreign") in by_severity(findings, "info")


def test_user_task_of_camunda_8():
    task, findings, _ = node(
        '<userTask id="t"><extensionElements><zeebe:userTask/><zeebe:formDefinition formId="ask"/>'
        '<zeebe:assignmentDefinition candidateGroups="=&quot;clerks&quot;"/><zeebe:taskSchedule dueDate="=now()"/>'
        '<zeebe:ioMapping><zeebe:input source="=order.id" target="id"/></zeebe:ioMapping>'
        "</extensionElements></userTask>"
    )
    assert task.properties["form"] == "ask.form"
    assert task.properties["candidateGroups"] == "clerks"
    assert task.extensions["preScript"] == "id = order.id"
    assert not by_severity(findings, "error")


def test_several_groups_stay_several():
    for vendor in ("camunda", "flowable"):
        task, findings, _ = node(f'<userTask id="t" {vendor}:candidateGroups="clerks ,nurses"/>')
        assert task.properties["candidateGroups"] == "clerks, nurses"
        assert not by_severity(findings, "error")


@pytest.mark.parametrize("groups", ["a,${b}", "${group}", "=group"])
def test_computed_groups_are_refused(groups):
    _, findings, _ = node(f'<userTask id="t" camunda:candidateGroups="{groups}"/>')
    assert by_severity(findings, "error")[0] == ("t", "not-translated")


def test_potential_owners_of_the_standard():
    owner = "<resourceAssignmentExpression><formalExpression>{}</formalExpression></resourceAssignmentExpression>"
    for text, group in (("clerks", "clerks"), ("group(clerks)", "clerks"), ("user(kermit)", None)):
        task, findings, _ = node(
            f'<userTask id="t"><potentialOwner>{owner.format(text)}</potentialOwner></userTask>'
        )
        assert task.properties.get("candidateGroups") == group
        assert not by_severity(findings, "error")


def test_a_form_in_the_diagram_becomes_a_form_of_the_package():
    rule = '<camunda:validation><camunda:constraint name="required"/></camunda:validation>'
    field = f'<camunda:formField id="age" label="Age" type="long">{rule}</camunda:formField>'
    body = '<userTask id="t"><extensionElements><camunda:formData>{}</camunda:formData></extensionElements></userTask>'
    task, _, package = node(body.format(field))
    form = json.loads(package.files[task.properties["form"]])
    assert form["components"][1]["validate"] == {"required": True}
    assert "age = answer_t.age" in task.extensions["postScript"]
    _, findings, _ = node(body.format(field.replace("required", "readonly")))
    assert ("t", "not-translated") in by_severity(findings, "error")


def test_services_name_the_operator_they_call():
    parameters = '<camunda:inputOutput><camunda:inputParameter name="to">${mail}</camunda:inputParameter>'
    parameters += '<camunda:inputParameter name="text">Hello</camunda:inputParameter></camunda:inputOutput>'
    task, findings, _ = node(
        f'<serviceTask id="t" camunda:type="external" camunda:topic="mail/send"><extensionElements>{parameters}'
        "</extensionElements></serviceTask>"
    )
    assert (task.service.operator, dict(task.service.parameters)) == ("mail/send", {"to": "mail", "text": '"Hello"'})
    assert by_severity(findings, "warning") == [("t", "translated")]
    task, _, _ = node('<serviceTask id="t" camunda:delegateExpression="#{svn}" camunda:resultVariable="r"/>')
    assert (task.service.operator, task.service.variable) == ("svn", "r")
    task, _, _ = node(
        '<serviceTask id="t"><extensionElements><zeebe:taskDefinition type="mail"/></extensionElements></serviceTask>'
    )
    assert task.service.operator == "mail"


@pytest.mark.parametrize(
    "body",
    [
        '<serviceTask id="t" camunda:expression="${bean.call()}"/>',
        '<serviceTask id="t"><extensionElements><zeebe:taskDefinition type="=kind"/></extensionElements></serviceTask>',
        '<userTask id="t"><extensionElements><camunda:taskListener event="create"/></extensionElements></userTask>',
        '<manualTask id="t" flowable:skipExpression="${x}"/>',
        '<callActivity id="t" calledElement="${process}"/>',
        '<scriptTask id="t" camunda:resource="a.groovy"/>',
        '<userTask id="t" camunda:formKey="${form}"/>',
    ],
)
def test_a_setting_that_would_change_the_meaning_is_refused_on_its_element(body):
    _, findings, _ = node(body)
    assert ("t", "not-translated") in by_severity(findings, "error")


def test_repetition_over_a_collection():
    body = '<manualTask id="t"><multiInstanceLoopCharacteristics {}/></manualTask>'
    _, findings, package = node(body.format('camunda:collection="${people}" camunda:elementVariable="person"'))
    text = package.text("p.bpmn")
    assert "<loopDataInputRef>people</loopDataInputRef>" in text
    assert '<inputDataItem id="person"' in text
    assert not by_severity(findings, "error")
    _, findings, _ = node(body.format('camunda:collection="${dao.all()}"'))
    assert ("t", "not-translated") in by_severity(findings, "error")


def test_scripts_and_calls():
    groovy = 'scriptFormat="groovy" camunda:resultVariable="s"'
    task, _, _ = node(f'<scriptTask id="t" {groovy}><script>a + b</script></scriptTask>')
    assert task.script == "s = a + b"
    passing = '<camunda:in variables="all"/><camunda:in source="a" target="b"/><camunda:out source="c" target="d"/>'
    task, _, _ = node(
        f'<callActivity id="t" calledElement="q"><extensionElements>{passing}</extensionElements></callActivity>'
    )
    assert (task.extensions["preScript"], task.extensions["postScript"]) == ("b = a", "d = c")
    called = '<extensionElements><zeebe:calledElement processId="q"/></extensionElements>'
    assert node(f'<callActivity id="t">{called}</callActivity>')[0].called == "q"


@pytest.mark.parametrize(
    ("encoding", "used"),
    [
        ("UTF-8", "utf-8-sig"), ("UTF-16", "utf-16"), ("UTF-16", "utf-16-be"), ("ISO-8859-1", "latin-1"),
        ("UTF-8", "latin-1"), ("UTF-16", "utf-8"), ("ISO-8859-1", "utf-8"), ("nonsense", "utf-8"), ("", "cp1252"),
    ],
)  # fmt: skip
def test_every_encoding_becomes_utf_8(encoding, used):
    declared = f'<?xml version="1.0" encoding="{encoding}"?>' if encoding else ""
    text = declared + process('<manualTask id="t" name="Prüfen"/>').decode()
    after, findings = translate(Package({"p.bpmn": text.encode(used)}))
    assert read_diagram(parse_xml(after.files["p.bpmn"], "p"), "p").processes[0].node("t").name == "Prüfen"
    assert [f.severity for f in findings] == ["info"]


def test_our_own_package_stays_unchanged():
    package = Package({"p.bpmn": process("")})
    assert translate(package) == (package, [])


def test_missing_ids_and_misordered_children_are_repaired():
    body = '<userTask id="t"><incoming>f</incoming><documentation>Why</documentation></userTask>'
    _, drawn, findings = translated(f'{body}<sequenceFlow sourceRef="s" targetRef="t"/>')
    assert drawn.node("t").documentation == "Why"
    assert {f.severity for f in findings} == {"info"}
    assert ("sequenceFlow_unnamed_1", "translated") in by_severity(findings, "info")


def test_translating_twice_changes_nothing_more():
    for _, _, content in documents(0, 120):
        once, _ = translate(Package({"p.bpmn": content}))
        assert translate(once)[0].files == once.files


def test_a_task_without_a_kind_runs_like_a_manual_task():
    drawn, findings, _ = node('<task id="t" name="Look"/>')
    assert drawn.kind == "manualTask"
    assert ("t", "translated") in by_severity(findings, "info")


@pytest.mark.parametrize(
    "task",
    [
        '<task id="t" xmlns:d="http://www.jboss.org/drools" d:taskName="Rest"/>',
        '<task id="t" camunda:class="a.B"/>',
        '<task id="t"><extensionElements><zeebe:taskDefinition type="x"/></extensionElements></task>',
    ],
)
def test_a_task_that_another_product_automates_is_not_made_a_manual_task(task):
    drawn, findings, _ = node(task)
    assert drawn.kind == "task"
    assert ("t", "not-translated") in by_severity(findings, "error")


@pytest.mark.parametrize(
    "name", ["formKey", "formRef", "candidateGroups", "taskListener", "inputOutput", "delegateExpression"]
)
def test_a_meaningful_name_in_an_unknown_namespace_is_refused(name):
    attribute = node(f'<userTask id="t" xmlns:x="urn:engine" x:{name}="a" x:colour="red"/>')
    inside = f'<extensionElements><x:{name} xmlns:x="urn:engine"/></extensionElements>'
    for _, findings, _ in (attribute, node(f'<userTask id="t">{inside}</userTask>')):
        (message,) = [f.message for f in findings if (f.element, f.severity) == ("t", "error")]
        assert f"“{name}” of urn:engine, an engine or tool not known here, would be lost." in message


def test_an_ambiguous_name_in_an_unknown_namespace_is_a_warning():
    _, findings, _ = node('<userTask id="t" xmlns:x="urn:tool" x:connector="straight"/>')
    assert [f.message for f in findings if (f.element, f.severity) == ("t", "warning")] == [
        "“connector” of urn:tool, an engine or tool not known here, does nothing here."
    ]


def test_every_extension_of_a_drawing_tool_is_a_note():
    _, findings, _ = node('<userTask id="t" xmlns:x="http://www.signavio.com" x:type="a" x:priority="b"/>')
    assert {f.severity for f in findings} == {"info"}


def test_operaton_is_camunda_7_under_another_name():
    body = (
        '<userTask id="t" {0}:candidateGroups="clerks" {0}:priority="70"/><serviceTask id="u" {0}:class="a.B"/>'
        '<userTask id="v"><extensionElements><{0}:taskListener event="create"/></extensionElements></userTask>'
    )
    space = 'xmlns:operaton="http://operaton.org/schema/1.0/bpmn"'
    _, process_7, findings_7 = translated(body.format("camunda"))
    _, other, findings = translated(body.replace("<userTask", f"<userTask {space}").format("operaton").replace(
        "<serviceTask", f"<serviceTask {space}"
    ))
    assert other.node("t").properties == process_7.node("t").properties
    assert by_severity(findings, "error") == by_severity(findings_7, "error") != []


OF_REGISTRY = "<extensionElements><flowable:eventType>e</flowable:eventType></extensionElements>"
CAUGHT = '<errorEventDefinition camunda:errorCodeVariable="code"/>'
SUB = '<subProcess id="sub"><startEvent id="is"/><endEvent id="t">{}</endEvent></subProcess>'
CYCLE = '<timerEventDefinition><timeCycle flowable:endDate="2026-01-01">R3/PT1H</timeCycle></timerEventDefinition>'


@pytest.mark.parametrize(
    "body",
    [
        SUB.format('<terminateEventDefinition flowable:terminateAll="true"/>'),
        SUB.format('<terminateEventDefinition flowable:terminateMultiInstance="true"/>'),
        f'<receiveTask id="t">{OF_REGISTRY}</receiveTask>',
        f'<intermediateCatchEvent id="t">{CYCLE}</intermediateCatchEvent>',
        f'<boundaryEvent id="t" attachedToRef="a">{CAUGHT}</boundaryEvent>',
    ],
)
def test_a_setting_that_changes_the_path_is_refused(body):
    _, _, findings = translated(body)
    assert ("t", "not-translated") in by_severity(findings, "error")


def test_a_setting_that_is_switched_off_is_ignored():
    _, _, findings = translated(SUB.format('<terminateEventDefinition flowable:terminateAll="false"/>'))
    assert [f.severity for f in findings if f.severity != "info"] == []


def test_the_first_value_of_a_data_object_is_refused():
    value = "<extensionElements><flowable:value>1</flowable:value></extensionElements>"
    _, _, findings = translated(f'<dataObject id="o">{value}</dataObject>')
    assert ("p", "not-translated") in by_severity(findings, "error")


@pytest.mark.parametrize("value", [None, "", [], {}, 0, False, "a", [1], {"a": 1}, 1.5])
def test_empty_is_what_juel_takes_for_empty(value):
    expected = value is None or (isinstance(value, str | list | dict) and not value)
    assert compile_expression(juel("${empty n}")).evaluate({"n": value}, NOW) is expected
    assert compile_expression(juel("${not empty n}")).evaluate({"n": value}, NOW) is not expected


@pytest.mark.parametrize(
    "source",
    [
        *("${execution.id}", "${execution.processInstanceId}", "${task.assignee}", "${environment.variables.x}"),
        *("${execution}", "${a == task}", "${nrOfInstances > 1}", "${execution.getId()}"),
    ],
)
def test_access_to_the_other_engine_is_refused_by_name(source):
    with pytest.raises(NotUnderstood, match=r"execution|task|environment|nrOfInstances"):
        juel(source)


def test_a_harmless_name_in_an_unknown_namespace_is_reported():
    _, findings, _ = node('<userTask id="t" xmlns:x="urn:engine" x:initiator="kermit"/>')
    assert ("t", "Settings of another engine that do nothing here: initiator.") in {
        (f.element, f.message) for f in findings if f.severity == "info"
    }


@pytest.mark.parametrize("kind", sorted(FLOW_NODES))
def test_every_flow_node_has_an_id_to_be_named_by(kind):
    _, drawn, _ = translated(f"<{kind}/>")
    assert f"{kind}_unnamed_1" in {one.id for one in drawn.nodes}


@pytest.mark.parametrize(
    "inner",
    [
        '<messageEventDefinition id="d" camunda:type="external" camunda:topic="mail"/>',
        '<messageEventDefinition id="d" flowable:delegateExpression="${mail}"/>',
        '<extensionElements><zeebe:taskDefinition type="mail"/></extensionElements><messageEventDefinition id="d"/>',
    ],
)
@pytest.mark.parametrize("kind", ["intermediateThrowEvent", "endEvent"])
def test_the_implementation_of_a_thrown_message_becomes_its_operator(kind, inner):
    drawn, findings, after = node(f'<{kind} id="t">{inner}</{kind}>')
    assert (drawn.service.operator, drawn.service.variable) == ("mail", "result_t")
    assert ("t", "translated") in by_severity(findings, "warning")
    assert not by_severity(findings, "error")
    assert b"topic" not in after.files["p.bpmn"]


def test_scripts_around_a_script_become_part_of_it():
    own = 'xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core"'
    around = f"<s:preScript {own}>a = 1\nb = 2</s:preScript><s:postScript {own}>d = c</s:postScript>"
    extensions = f"<extensionElements>{around}</extensionElements>"
    drawn, _, _ = node(f'<scriptTask id="t">{extensions}<script>c = a + b</script></scriptTask>')
    assert drawn.script == "a = 1\nb = 2\nc = a + b\nd = c"
    assert not drawn.extensions
    inputs = '<camunda:inputOutput><camunda:inputParameter name="a">${x}</camunda:inputParameter></camunda:inputOutput>'
    body = f'<scriptTask id="t"><extensionElements>{inputs}</extensionElements><script>c = a</script></scriptTask>'
    assert node(body)[0].script == "a = x\nc = a"


def test_references_and_yes_or_no_are_read_in_every_form_the_schema_allows():
    boundary = '<boundaryEvent id="b" attachedToRef="my:t" cancelActivity="0"><timerEventDefinition/></boundaryEvent>'
    drawn, findings, after = node(
        f'<userTask id="t"><multiInstanceLoopCharacteristics isSequential=" 1 "/></userTask>{boundary}'
        '<sequenceFlow id="f" sourceRef=" s " targetRef="t"/>', key="b"
    )  # fmt: skip
    assert drawn.attached_to == "t"
    text = after.files["p.bpmn"]
    assert b'isSequential="true"' in text
    assert b'cancelActivity="false"' in text
    assert b'sourceRef="s"' in text
    assert any(finding.rule == "translated" for finding in findings)
