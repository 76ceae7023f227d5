"""`foundry-text`: an embedded pool with planted defects, and the suite that goes with it."""

from assay.foundry.items import TASKS, TaskCard, suite_items
from assay.foundry.pages import FoundryDocument, Truth, documents

__all__ = ["TASKS", "FoundryDocument", "TaskCard", "Truth", "documents", "suite_items"]
