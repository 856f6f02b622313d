"""Process packages and the XML in them: what analysts own, as immutable values named by their content.

Nothing here judges whether a package can run; that is the gate's work.
"""

from .diagram import Diagram, Flow, Node, Process, ServiceCall, read_diagram
from .folders import from_zip, read_file, read_folder, to_zip, write_folder
from .package import MAX_FILE_BYTES, Package
from .safe_xml import BPMN, SPIFF, XmlElement, XmlTree, line_of, parse_xml

__all__ = [
    "BPMN",
    "MAX_FILE_BYTES",
    "SPIFF",
    "Diagram",
    "Flow",
    "Node",
    "Package",
    "Process",
    "ServiceCall",
    "XmlElement",
    "XmlTree",
    "from_zip",
    "line_of",
    "parse_xml",
    "read_diagram",
    "read_file",
    "read_folder",
    "to_zip",
    "write_folder",
]
