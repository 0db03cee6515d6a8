package sqlstore

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// jsonMap is a JSON object column; nil is NULL.
type jsonMap[V any] map[string]V

// Value writes the column.
func (m jsonMap[V]) Value() (driver.Value, error) {
	if m == nil {
		return nil, nil //nolint:nilnil // NULL is what a nil map is
	}
	return marshal(map[string]V(m))
}

// Scan reads the column.
func (m *jsonMap[V]) Scan(src any) error {
	*m = nil
	return unmarshal(src, (*map[string]V)(m))
}

// marshal gives JSON that PostgreSQL takes: without a NUL, which its text cannot hold.
func marshal(v any) (string, error) {
	data, err := json.Marshal(v)
	return strings.ReplaceAll(string(data), `\u0000`, `\ufffd`), err
}

// unmarshal reads a text column of JSON into v, and leaves v alone on NULL.
func unmarshal(src, v any) error {
	switch s := src.(type) {
	case nil:
		return nil
	case []byte:
		return json.Unmarshal(s, v)
	case string:
		return json.Unmarshal([]byte(s), v)
	default:
		return fmt.Errorf("cannot read %T as JSON", src)
	}
}

// text makes a string that both databases take: UTF-8 without NUL.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// nameLength is the number of characters that VARCHAR columns for people hold.
const nameLength = 255

// short cuts a string to nameLength characters, the last one being an ellipsis.
func short(s string) string {
	s = text(s)
	if utf8.RuneCountInString(s) <= nameLength {
		return s
	}
	return string([]rune(s)[:nameLength-1]) + "…"
}

// texts makes labels or annotations that both databases take.
func texts(m map[string]string) map[string]string {
	clean := make(map[string]string, len(m))
	for k, v := range m {
		clean[text(k)] = text(v)
	}
	return clean
}
