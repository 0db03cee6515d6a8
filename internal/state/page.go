package state

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// MaxPageSize bounds a page.
const MaxPageSize = 1000

// Page asks for a part of a list. The zero value asks for its first DefaultPageSize rows.
type Page struct {
	// Limit is the number of rows at most, from 1 to MaxPageSize; 0 is DefaultPageSize.
	Limit int
	// After is the cursor that the page before gave; empty for the first page.
	After string
}

// DefaultPageSize is the size of a page that asks for none.
const DefaultPageSize = 100

// Size gives the number of rows that the page may have.
func (p Page) Size() (int, error) {
	switch {
	case p.Limit == 0:
		return DefaultPageSize, nil
	case p.Limit < 0 || p.Limit > MaxPageSize:
		return 0, fmt.Errorf("limit must be between 1 and %d, is %d: it %w", MaxPageSize, p.Limit, ErrInvalid)
	default:
		return p.Limit, nil
	}
}

// Cursor is a place in a list that is sorted by a key, and by ID where keys are equal. The next page begins behind
// it, whatever has come or gone in between, itself included.
type Cursor struct {
	// List names the list, so that the cursor of one is refused by another.
	List string `json:"l"`
	Key  string `json:"k"`
	ID   string `json:"i"`
}

// String gives the cursor in a form for URLs.
func (c Cursor) String() string {
	data, err := json.Marshal(c)
	if err != nil { // three strings always marshal
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// ParseCursor reads what String gave for the same list, or answers ErrInvalid.
func ParseCursor(s, list string) (Cursor, error) {
	var c Cursor
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil || c.List != list {
		return Cursor{}, fmt.Errorf("cursor must be one that the list before it gave: it %w", ErrInvalid)
	}
	return c, nil
}
