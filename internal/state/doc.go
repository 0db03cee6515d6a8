// Package state is what every port of stored state shares: the errors that they answer, and the pages that they
// give of a list.
package state
