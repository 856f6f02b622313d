"""What the start event of a process declares about starting a case: its form, who may, and what the case is about."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.actor import Actor
from ..core.candidate_groups import groups_of
from .bpmn_file import Node, process_element, read_diagram
from .package import Package
from .safe_xml import BPMN, parse_xml

#: The properties of a start event that declare a start.
FORM, GROUPS, ROLES, BUSINESS_KEY = "form", "candidateStarterGroups", "candidateStarterRoles", "businessKey"
START_PROPERTIES = frozenset({FORM, GROUPS, ROLES, BUSINESS_KEY})

#: The roles whose people may start cases. Auditors change nothing.
STARTER_ROLES = ("staff", "analyst", "admin")


@dataclass(frozen=True, kw_only=True, slots=True)
class StartDeclaration:
    """
    The start of one process. Every text may be empty.

    *element* is the start event, *form* a file of the package, *business_key* an expression over the first data,
    *about* the documentation of the process. People of any of the *roles* or *groups* may start a case; if both are
    empty, no person may, and only programs of the practice do.
    """

    element: str = ""
    form: str = ""
    business_key: str = ""
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    about: str = ""

    def admits(self, actor: Actor) -> bool:
        """Whether *actor* may start a case."""
        if actor.role == "system":
            return True
        if actor.role not in STARTER_ROLES:
            return False
        return actor.role in self.roles or not actor.groups.isdisjoint(self.groups)


def is_start_of(node: Node, process: str) -> bool:
    """Whether *node* is the start event with which a case of *process* begins."""
    return node.kind == "startEvent" and node.scope == process and not node.events


def read_start(package: Package) -> StartDeclaration:
    """The declaration of the main process of *package*; raises `InvalidDefinition` if it has none or is broken."""
    key = package.key
    for file in package.diagrams():
        tree = parse_xml(package.files[file], file)
        for process in read_diagram(tree, file).processes:
            node = next((node for node in process.nodes if is_start_of(node, key)), None)
            if process.id == key and node is not None:
                documentation = process_element(tree, key).findtext(f"{{{BPMN}}}documentation")
                return declared(node, (documentation or "").strip())
    return StartDeclaration()


def declared(node: Node, about: str = "") -> StartDeclaration:
    """What the start event *node* declares."""
    text = node.properties
    return StartDeclaration(
        element=node.id,
        form=text.get(FORM, "").strip(),
        business_key=text.get(BUSINESS_KEY, "").strip(),
        groups=groups_of(text.get(GROUPS, "")),
        roles=groups_of(text.get(ROLES, "")),
        about=about,
    )
