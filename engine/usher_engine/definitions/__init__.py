"""Process packages, the files that analysts own, as immutable values identified by a hash of their content.

Nothing here decides whether a package can run; that is the gate's job.
"""

from .bpmn_file import (
    PLACEHOLDER,
    STARTS_AFTER,
    Diagram,
    Flow,
    Node,
    Process,
    ServiceCall,
    process_element,
    read_diagram,
)
from .callable_definitions import decision_callers, decision_names, process_names
from .diagram_merge import MINE, THEIRS, CannotMerge, MergedDiagram, merge_diagrams, take_elements
from .dmn_file import Column, Decision, DecisionFile, Row, Table, read_decisions
from .drawings import Drawing, main_processes
from .element_facts import ElementFacts, read_element_facts
from .flow_node_types import FLOW_NODES, SUB_PROCESSES
from .import_remedies import SAFE, Remedy, remedied, remedy_for
from .inclusive_join import InclusiveJoin, inclusive_join
from .labelled_elements import element_labels, process_labels
from .lint_finding import RULES, Finding, Rule, Severity
from .package import MAX_FILE_BYTES, Package
from .package_io import from_zip, read_file, read_folder, to_zip, write_folder
from .possible_outcomes import case_ends
from .safe_xml import BPMN, DMN, SPIFF, XmlElement, XmlTree, elements_at, line_of, parse_as_written, parse_xml, xml_text
from .start_declaration import (
    START_PROPERTIES,
    STARTER_ROLES,
    StartDeclaration,
    declared,
    is_start_of,
    read_start,
)
from .timer_definitions import MISSED, MISSED_ALL, MISSED_SKIP, Repeat, Timer
from .translation import Translation, translate, translation_of

__all__ = [
    "BPMN",
    "DMN",
    "FLOW_NODES",
    "MAX_FILE_BYTES",
    "MINE",
    "MISSED",
    "MISSED_ALL",
    "MISSED_SKIP",
    "PLACEHOLDER",
    "RULES",
    "SAFE",
    "SPIFF",
    "STARTER_ROLES",
    "STARTS_AFTER",
    "START_PROPERTIES",
    "SUB_PROCESSES",
    "THEIRS",
    "CannotMerge",
    "Column",
    "Decision",
    "DecisionFile",
    "Diagram",
    "Drawing",
    "ElementFacts",
    "Finding",
    "Flow",
    "InclusiveJoin",
    "MergedDiagram",
    "Node",
    "Package",
    "Process",
    "Remedy",
    "Repeat",
    "Row",
    "Rule",
    "ServiceCall",
    "Severity",
    "StartDeclaration",
    "Table",
    "Timer",
    "Translation",
    "XmlElement",
    "XmlTree",
    "case_ends",
    "decision_callers",
    "decision_names",
    "declared",
    "element_labels",
    "elements_at",
    "from_zip",
    "inclusive_join",
    "is_start_of",
    "line_of",
    "main_processes",
    "merge_diagrams",
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
    "read_start",
    "remedied",
    "remedy_for",
    "take_elements",
    "to_zip",
    "translate",
    "translation_of",
    "write_folder",
    "xml_text",
]
