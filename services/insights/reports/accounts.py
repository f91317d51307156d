"""Accounts as buying groups: how many are engaged, who works on it, what is open and what was
won."""

from __future__ import annotations

from typing import Any, Final

from services.insights.reports.context import Context

_ACCOUNTS: Final = """SELECT a.*, (SELECT count(*) FROM lead l
        WHERE l.account_id = a.account_id AND l.holder_kind = 'person') in_work,
    (SELECT min(holder) FROM lead l
        WHERE l.account_id = a.account_id AND l.holder_kind = 'person') holder,
    (SELECT count(DISTINCT d.deal) FROM lead l CROSS JOIN deal d ON d.root = l.lead_id
        WHERE l.account_id = a.account_id AND l.erased = 0 AND d.state = 'open') open_deals,
    (SELECT sum(amount_minor) FROM conversion c WHERE c.journey = a.account_id) won,
    (SELECT min(currency) FROM conversion c WHERE c.journey = a.account_id) currency
    FROM account a ORDER BY a.engaged_people DESC, a.engagement_micro DESC, a.account_id DESC
    LIMIT 100"""


def accounts(context: Context) -> dict[str, Any]:
    """The page Accounts: the hundred most engaged."""
    return {"rows": context.rows(_ACCOUNTS), "count": context.value("SELECT count(*) FROM account")}
