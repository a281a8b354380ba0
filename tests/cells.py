"""A notebook's cells run in the test's own process, which has imported already what they import."""

from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from gancore.notebooks import KERNEL, find


def run_here(number, parameters):
    """Run a notebook's code, with these parameters put in as papermill does, until it ends or raises."""
    notebook = parameterize_notebook(load_notebook_node(str(find(number))), parameters, kernel_name=KERNEL)
    namespace = {"In": []}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            namespace["In"].append(cell.source)
            exec(cell.source, namespace)
