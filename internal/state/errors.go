package state

import (
	"errors"
	"fmt"
)

// What a port of stored state answers, found by errors.Is. The text behind it says more.
var (
	// ErrNotFound answers for an ID that is not there.
	ErrNotFound = errors.New("not found")
	// ErrVersion answers a change of something that another has changed since it was read.
	ErrVersion = errors.New("was changed by another in the meantime")
	// ErrConflict answers a change that an invariant of the stored state forbids, such as a second open incident
	// for one alert. The same change would be refused again.
	ErrConflict = errors.New("conflicts with what is stored")
	// ErrUnavailable answers while the database cannot be reached, is overloaded, full or read-only. The same call
	// may succeed later.
	ErrUnavailable = errors.New("the state store is not available")
	// ErrInvalid answers a query or a value that can never be right, such as a cursor of another list.
	ErrInvalid = errors.New("is not valid")
)

// FieldError is what is wrong with one field, by its JSON name.
type FieldError struct {
	Field string
	// Message says what would be right.
	Message string
}

// Error gives field and message.
func (e *FieldError) Error() string { return fmt.Sprintf("%q %s", e.Field, e.Message) }
