"""Pure arithmetic of the score: ledger, decay, rules, groups, crossings, explanation."""
