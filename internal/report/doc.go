// Package report tells what alerts cost the people who are woken by them: which rules are noisy, which flap, which
// nobody ever acts upon, and how long it takes people to react. It knows no database.
package report
