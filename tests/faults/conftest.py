from models.conftest import chat_directory, processes
from workflow.conftest import fresh_project

__all__ = ["chat_directory", "fresh_project", "processes"]
