// Package incident is what an incident is: its life from open to resolved, its timeline, and the ports by which its
// state is read and written. It knows no collector component, no SQL and no HTTP.
package incident
