"""The operator `http/request`: calls a web service without code, within the limits an administrator sets.

`web_request` has the operator, `use_check` what the gate checks of each use, `web_address` and `secret_headers` what is
sent where, `exchange` the requests themselves, `answer_mapping` what is kept of an answer. See decisions/0035.
"""

from .secret_headers import unreadable_secrets
from .web_request import web_request_operator

__all__ = ["unreadable_secrets", "web_request_operator"]
