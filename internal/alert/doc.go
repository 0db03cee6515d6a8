// Package alert is what an alert is: its identity, its life from firing to resolved, and its form as telemetry.
// It knows no collector component and no database.
package alert
