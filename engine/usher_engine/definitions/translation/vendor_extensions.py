"""What other products write into a diagram, sorted by what it means here: nothing, or something that would be lost."""

from __future__ import annotations

#: Camunda 7 and what it came from and what came from it: one vocabulary.
ENGINES = {
    "http://camunda.org/schema/1.0/bpmn": "Camunda 7",
    "http://operaton.org/schema/1.0/bpmn": "Operaton",
    "http://activiti.org/bpmn": "Activiti",
    "http://flowable.org/bpmn": "Flowable",
}
ZEEBE = "http://camunda.org/schema/zeebe/1.0"
DROOLS = "http://www.jboss.org/drools"
PRODUCTS = {**ENGINES, ZEEBE: "Camunda 8", DROOLS: "jBPM"}
#: Tools that draw and run nothing: what they write are notes, whatever it is called.
TOOLS = (
    *("http://www.signavio.com", "http://www.bizagi.com", "http://www.trisotech.com", "http://bpmn.io/schema/"),
    *("http://camunda.org/schema/modeler/", "http://www.omg.org/spec/BPMN/non-normative/"),
)

#: Attributes and elements that tell a foreign engine how to do its work, not what the process does.
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

_LISTENER = "Code of the foreign product runs here at this moment. Draw a script or service task in its place."
_CODE = "It names code of the foreign product. Choose one of Usher's service operators in the properties panel."

_EVENTS = "Usher receives no events of another product's registry. Use a message with its contents instead."
_ERROR = "Usher keeps what was caught as error: read error.code and error.message behind the event."

#: What would be lost without a word, and what to do instead.
MEANT = {
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
    "skipExpression": "Whether the element is skipped is decided by a gateway here. Draw one before it.",
    "caseRef": "Cases (CMMN) cannot run here. Draw them as a process.",
    "adHoc": "Draw the order of its tasks in a sub-process.",
    **dict.fromkeys(
        ("eventType", "triggerEventType", "eventInParameter", "eventOutParameter", "eventCorrelationParameter"), _EVENTS
    ),
    **dict.fromkeys(("channelKey", "startEventCorrelationConfiguration", "sendSynchronously"), _EVENTS),
    **dict.fromkeys(("errorCodeVariable", "errorMessageVariable", "errorVariableName"), _ERROR),
    "escalationCodeVariable": "Usher keeps what was caught as escalation: read escalation.code behind the event.",
    "mapException": "The service's operator says which errors it may end with.",
    "exceptionMapping": "The service's operator says which errors it may end with.",
    "terminateMultiInstance": "An end ends its own scope here. Stop a repetition by completionCondition.",
    "endDate": "A cycle ends after a number of times here. Write it like R3/PT1H.",
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
    "loopCharacteristics": "Set the list to repeat over again in the properties panel.",
    "collection": "Set the list to repeat over again in the properties panel.",
    "elementVariable": "Set the list to repeat over again in the properties panel.",
    "subscription": "Set what the message is matched by again in the properties panel.",
    "calledElement": "Choose the called process again in the properties panel.",
    "calledDecision": "Choose the decision table again in the properties panel.",
    "resultVariable": "Set the result variable again in the properties panel.",
    "mapDecisionResult": "The result is a record of all outputs. Read the one you need from it.",
    "formDefinition": "Choose the form again in the properties panel.",
    "taskDefinition": _CODE,
}
#: What is translated in the words of the products above, and would be lost in those of others.
TRANSLATED = frozenset(
    {
        *("assignee", "candidateGroups", "candidateUsers", "dueDate", "priority", "formKey", "formRef", "decisionRef"),
        *("assignmentDefinition", "taskSchedule", "formField", "inputParameter", "outputParameter"),
    }
)
#: What tools that only draw call their own things, too: in a namespace not known here, no sign of an engine. Where an
#: engine means them, what is missing then is refused by another rule: a service without an operator, a list.
AMBIGUOUS = frozenset(
    {
        *("class", "collection", "connector", "expression", "field", "in", "out", "priority", "resource", "rules"),
        *("script", "topic", "type"),
    }
)
#: Same names with a meaning in one place only.
PLACES = {
    ("startEvent", "formKey"): "A process is started with data, without a form. Ask in a user task behind the start.",
    ("startEvent", "formRef"): "A process is started with data, without a form. Ask in a user task behind the start.",
    ("startEvent", "formData"): "A process is started with data, without a form. Ask in a user task behind the start.",
    ("startEvent", "formDefinition"): "A process is started with data, without a form. Ask in a user task behind it.",
    ("process", "executionListener"): _LISTENER,
    ("dataObject", "value"): "A case begins with its own data. Set the value by a script at the start.",
    ("task", "taskName"): _CODE,
}
