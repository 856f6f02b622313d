"""Extension names of other products, grouped by whether Usher can ignore them or must refuse them."""

from __future__ import annotations

#: Camunda 7, its ancestor and its forks share one vocabulary.
ENGINES = {
    "http://camunda.org/schema/1.0/bpmn": "Camunda 7",
    "http://operaton.org/schema/1.0/bpmn": "Operaton",
    "http://activiti.org/bpmn": "Activiti",
    "http://flowable.org/bpmn": "Flowable",
}
ZEEBE = "http://camunda.org/schema/zeebe/1.0"
DROOLS = "http://www.jboss.org/drools"
PRODUCTS = {**ENGINES, ZEEBE: "Camunda 8", DROOLS: "jBPM"}
#: Drawing tools, which run nothing: all their extensions are notes.
TOOLS = (
    *("http://www.signavio.com", "http://www.bizagi.com", "http://www.trisotech.com", "http://bpmn.io/schema/"),
    *("http://camunda.org/schema/modeler/", "http://www.omg.org/spec/BPMN/non-normative/"),
)

#: Names that configure a foreign engine and do not change what the process does.
HARMLESS = frozenset(
    {
        # transactions, jobs, history, versions, starting by hand, tools
        *("async", "asyncBefore", "asyncAfter", "exclusive", "jobPriority", "taskPriority", "jobTopic"),
        *("failedJobRetryTimeCycle", "asyncLeave", "asyncLeaveExclusive", "parallelInSameTransaction"),
        *("historyTimeToLive", "versionTag", "isStartableInTasklist", "candidateStarterUsers"),
        *("candidateStarterGroups", "potentialStarter", "diagramRelationId", "triggerable", "initiator"),
        *("modelerTemplate", "modelerTemplateVersion", "modelerTemplateIcon", "retryCounter", "category"),
        *("calledElementBinding", "calledElementVersion", "calledElementVersionTag", "calledElementTenantId"),
        *("decisionRefBinding", "decisionRefVersion", "decisionRefTenantId", "decisionRefVersionTag"),
        *("formRefBinding", "formRefVersion", "calledElementType", "processInstanceName", "formFieldValidation"),
        *("inheritVariables", "inheritBusinessKey", "sameDeployment", "fallbackToDefaultTenant", "businessKey"),
        *("eagerExecutionFetching", "doNotIncludeVariables", "isForCompensation", "localScope"),
        *("properties", "property", "taskHeaders", "header", "priorityDefinition", "jobPriorityDefinition"),
        *("userTask", "userTaskForm", "linkedResources", "linkedResource", "isEagerExecutionFetching"),
        *("followUpDate", "storeResultVariableAsTransient", "useLocalScopeForResultVariable"),
        # jBPM
        *("packageName", "version", "metaData", "metaValue", "isAsync", "taskName", "import", "global"),
        *("errorMessage", "variableEvents"),
        *("stencilid", "stencilsuperid", "allowedRoles", "allowedUsers", "isCaseFolder"),
    }
)

_LISTENER = "The other product runs its own code here. Draw a script task or service task instead."
_CODE = "It names code of the other product. Choose one of Usher's service operators in the properties panel."
_START_FORM = "Choose a start form of the package in the properties of the start event, and remove this."
_EVENTS = "Usher does not receive events from another product's registry. Use a message with contents instead."
_ERROR = "Usher stores a caught error as “error”: read error.code and error.message after the event."

#: Names whose meaning would be lost silently, with advice for the author.
MEANINGFUL = {
    "executionListener": _LISTENER,
    "executionListeners": _LISTENER,
    "taskListener": _LISTENER,
    "taskListeners": _LISTENER,
    "eventListener": _LISTENER,
    "onEntry-script": _LISTENER,
    "onExit-script": _LISTENER,
    "class": _CODE,
    "delegateExpression": _CODE,
    "expression": _CODE,
    "connector": _CODE,
    "type": _CODE,
    "topic": _CODE,
    "variableMappingClass": _CODE,
    "variableMappingDelegateExpression": _CODE,
    "formHandlerClass": "Draw the form in Usher's form editor.",
    "resource": "Write the script into the task instead of naming a file.",
    "skipExpression": "Draw a gateway before the element that decides whether to skip it.",
    "caseRef": "Cases (CMMN) cannot run here. Draw them as a process.",
    "adHoc": "Draw the order of its tasks in a sub-process.",
    **dict.fromkeys(
        ("eventType", "triggerEventType", "eventInParameter", "eventOutParameter", "eventCorrelationParameter"), _EVENTS
    ),
    **dict.fromkeys(("channelKey", "startEventCorrelationConfiguration", "sendSynchronously"), _EVENTS),
    **dict.fromkeys(("errorCodeVariable", "errorMessageVariable", "errorVariableName"), _ERROR),
    "escalationCodeVariable": "Usher stores a caught escalation as “escalation”: read escalation.code after the event.",
    "mapException": "The service operator declares the errors it may raise.",
    "exceptionMapping": "The service operator declares the errors it may raise.",
    "terminateMultiInstance": "Here, it ends only its own scope. Stop a multi-instance with completionCondition.",
    "endDate": "Here, a cycle ends after a number of repetitions. Write it like R3/PT1H.",
    "businessCalendarName": "Usher counts durations by the clock, without a calendar of working hours.",
    "agentDefinition": "Agents cannot run here. Use a service task with one of Usher's operators.",
    "variableName": "Conditional events cannot run here. Use a message or a timer.",
    "ruleFlowGroup": "Decide with a decision table.",
    "rules": "Decide with a decision table.",
    "ruleVariablesInput": "Decide with a decision table.",
    "decisionTableReferenceKey": "Choose the decision table again in the properties panel.",
    "inputOutput": "Write the values into the properties panel.",
    "ioMapping": "Write the values into the properties panel.",
    "in": "Write the values into the script before the call.",
    "out": "Write the values into the script after the call.",
    "formData": "Draw the form in Usher's form editor.",
    "formProperty": "Draw the form in Usher's form editor.",
    "script": "Use a script task with a script in Usher's language.",
    "field": _CODE,
    "loopCharacteristics": "Set the list to loop over in the properties panel.",
    "collection": "Set the list to loop over in the properties panel.",
    "elementVariable": "Set the list to loop over in the properties panel.",
    "subscription": "Set the message's correlation key in the properties panel.",
    "calledElement": "Choose the called process again in the properties panel.",
    "calledDecision": "Choose the decision table again in the properties panel.",
    "resultVariable": "Set the result variable again in the properties panel.",
    "mapDecisionResult": "The result is a record of all outputs. Read the one you need from it.",
    "formDefinition": "Choose the form again in the properties panel.",
    "taskDefinition": _CODE,
}
#: Names that are translated in the namespaces above and would be lost in an unknown namespace.
TRANSLATED = frozenset(
    {
        *("assignee", "candidateGroups", "candidateUsers", "dueDate", "priority", "formKey", "formRef", "decisionRef"),
        *("assignmentDefinition", "taskSchedule", "formField", "inputParameter", "outputParameter"),
    }
)
#: Names that drawing tools use as well, so an unknown namespace with one of them is not evidence of an engine. If an
#: engine did mean them, another rule refuses what is then missing: a service without an operator, a missing list.
AMBIGUOUS = frozenset(
    {
        *("class", "collection", "connector", "expression", "field", "in", "out", "priority", "resource", "rules"),
        *("script", "topic", "type"),
    }
)
#: Names that carry meaning only on one kind of element.
MEANINGFUL_IN_PLACE = {
    ("startEvent", "formKey"): _START_FORM,
    ("startEvent", "formRef"): _START_FORM,
    ("startEvent", "formData"): _START_FORM,
    ("startEvent", "formDefinition"): _START_FORM,
    ("process", "executionListener"): _LISTENER,
    ("dataObject", "value"): "A case begins with its own data. Set the value by a script at the start.",
    ("task", "taskName"): _CODE,
}
