// Package promnotifier sends alerts to external Alertmanagers, with Prometheus' own notifier.
package promnotifier
