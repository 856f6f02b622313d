"""Mails of one's own: templates in Markdown, one file for each language, each the source of a text and an HTML part.

`template_files` says which files are one, `mail_template` how one is filled.
"""

from .languages import UNDETERMINED, choose_language, direction, language_name, language_tag
from .mail_problems import MailProblem, closest, mail_problems, unknown_value
from .mail_template import MailTemplate, RenderedMail, compile_mail
from .template_files import TemplateFiles, language_of, misnamed, name_of, template_path, templates_of

__all__ = [
    "UNDETERMINED",
    "MailProblem",
    "MailTemplate",
    "RenderedMail",
    "TemplateFiles",
    "choose_language",
    "closest",
    "compile_mail",
    "direction",
    "language_name",
    "language_of",
    "language_tag",
    "mail_problems",
    "misnamed",
    "name_of",
    "template_path",
    "templates_of",
    "unknown_value",
]
