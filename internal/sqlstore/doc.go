// Package sqlstore keeps alerts, incidents, rules and the health of services in PostgreSQL or SQLite. It implements
// the ports of the packages that it keeps the state of; nobody else needs to know that there is SQL.
//
// The schema is the specification's, in migrations/. Invariants are constraints and triggers there, so that neither a
// second replica nor a crash can break them. One repository code serves both databases; what differs is in flavour.go
// and in the types of columns.go, instant.go and list.go.
//
// # Read side
//
// The specification has tables active_alerts_view, service_status_view, incidents_view and alert_rules_view beside
// the write side. Here they are SQL views with the same columns: durations are right at the moment of reading,
// no write has to maintain a copy, and no crash leaves one behind. They stay fast because lists are cut to a page by
// an index of the write side, and counts are taken for the rows of the page alone: the number of timeline events is
// the last sequence, the number of alerts comes from the index on their links. The indexes that the specification
// names for the read side stand on the write side.
//
// # Searching by labels
//
// Lists of alerts are filtered by matchers of labels. On SQLite each alert is looked at. On PostgreSQL labelsearch.go
// looks at the first of the list, and finds what lies behind by keys of labels that the schema keeps; patterns become sets
// of values in labelfilter.go. docs/adr/0017 says why.
//
// # Writers
//
// Transactions that change alerts and incidents take turns across all replicas, by an advisory lock on PostgreSQL and
// by SQLite's own one-writer rule. Batches are large and few, so that costs little, and it removes deadlocks, lost
// updates and retries. Readers never wait.
package sqlstore
