-- All accounts, and those with each role.
SELECT role, accounts FROM accounts.count_people()
