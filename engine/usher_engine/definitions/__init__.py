"""Process packages and the XML in them: what analysts own, as immutable values named by their content.

Nothing here judges whether a package can run; that is the gate's work.
"""

from .decision_file import Column, Decision, DecisionFile, Row, Table, read_decisions
from .decision_names import decision_names
from .diagram import (
    PLACEHOLDER,
    Diagram,
    Flow,
    Node,
    Process,
    ServiceCall,
    process_element,
    read_diagram,
)
from .finding import Finding, Severity
from .folders import from_zip, read_file, read_folder, to_zip, write_folder
from .joins import InclusiveJoin, inclusive_join
from .kinds import FLOW_NODES, SUB_PROCESSES
from .package import MAX_FILE_BYTES, Package
from .parts import Part, read_parts
from .safe_xml import BPMN, DMN, SPIFF, XmlElement, XmlTree, elements_at, line_of, parse_as_written, parse_xml
from .timing import MISSED, MISSED_ALL, MISSED_SKIP, Repeat, Timer
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
    "SPIFF",
    "SUB_PROCESSES",
    "Column",
    "Decision",
    "DecisionFile",
    "Diagram",
    "Finding",
    "Flow",
    "InclusiveJoin",
    "Node",
    "Package",
    "Part",
    "Process",
    "Repeat",
    "Row",
    "ServiceCall",
    "Severity",
    "Table",
    "Timer",
    "Translation",
    "XmlElement",
    "XmlTree",
    "decision_names",
    "elements_at",
    "from_zip",
    "inclusive_join",
    "line_of",
    "parse_as_written",
    "parse_xml",
    "process_element",
    "read_decisions",
    "read_diagram",
    "read_file",
    "read_folder",
    "read_parts",
    "to_zip",
    "translate",
    "translation_of",
    "write_folder",
]
