"""The commands of `usher`, one module for each topic; `opening` puts together what they work on."""

from .cases import complete, history, start, tasks
from .demonstration import demo
from .measuring import bench
from .packages import check, deploy, export, test
from .people import token, user
from .serving import serve, worker
from .upkeep import db, import_patients

COMMANDS = (
    demo,
    serve,
    worker,
    db,
    check,
    test,
    deploy,
    export,
    start,
    tasks,
    complete,
    history,
    import_patients,
    bench,
    user,
    token,
)
