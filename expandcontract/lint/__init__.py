"""Reading SQL and judging it, never connecting."""

from expandcontract.lint.finding import Finding, Hazard, Severity
from expandcontract.lint.linter import lint_sql
from expandcontract.lint.schema import Schema

__all__ = ["Finding", "Hazard", "Schema", "Severity", "lint_sql"]
