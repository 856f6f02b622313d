"""Process packages, the files that analysts own, as immutable values identified by a hash of their content.

Nothing here decides whether a package can run; that is the gate's job.
"""

from .bpmn_file import PLACEHOLDER, Diagram, Flow, Node, Process, ServiceCall, process_element, read_diagram
from .callable_definitions import decision_names, process_names
from .dmn_file import Column, Decision, DecisionFile, Row, Table, read_decisions
from .element_facts import ElementFacts, read_element_facts
from .flow_node_types import FLOW_NODES, SUB_PROCESSES
from .inclusive_join import InclusiveJoin, inclusive_join
from .labelled_elements import element_labels, process_labels
from .lint_finding import RULES, Finding, Rule, Severity
from .package import MAX_FILE_BYTES, Package
from .package_io import from_zip, read_file, read_folder, to_zip, write_folder
from .safe_xml import BPMN, DMN, SPIFF, XmlElement, XmlTree, elements_at, line_of, parse_as_written, parse_xml
from .timer_definitions import MISSED, MISSED_ALL, MISSED_SKIP, Repeat, Timer
from .translation import Translation, translate, translation_of

__all__ = [
    "BPMN",
    "DMN",
    "FLOW_NODES",
    "MAX_FILE_BYTES",
    "MISSED",
    "MISSED_ALL",
    "MISSED_SKIP",
    "PLACEHOLDER",
    "RULES",
    "SPIFF",
    "SUB_PROCESSES",
    "Column",
    "Decision",
    "DecisionFile",
    "Diagram",
    "ElementFacts",
    "Finding",
    "Flow",
    "InclusiveJoin",
    "Node",
    "Package",
    "Process",
    "Repeat",
    "Row",
    "Rule",
    "ServiceCall",
    "Severity",
    "Table",
    "Timer",
    "Translation",
    "XmlElement",
    "XmlTree",
    "decision_names",
    "element_labels",
    "elements_at",
    "from_zip",
    "inclusive_join",
    "line_of",
    "parse_as_written",
    "parse_xml",
    "process_element",
    "process_labels",
    "process_names",
    "read_decisions",
    "read_diagram",
    "read_element_facts",
    "read_file",
    "read_folder",
    "to_zip",
    "translate",
    "translation_of",
    "write_folder",
]
