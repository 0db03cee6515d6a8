// Package explanation says in a sentence what became of an alert, and why.
package explanation
