from workflow.conftest import fresh_project

__all__ = ["fresh_project"]
