// Package notification is the send ledger: each message to a receiver, from the intent to send it to what became of it.
// It is free of Alertmanager, collector and SQL.
package notification
