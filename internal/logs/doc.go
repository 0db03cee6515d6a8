// Package logs is the port to the store of logs, and its adapter for Loki's HTTP API. Queries are in LogQL.
package logs
