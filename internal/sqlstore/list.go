package sqlstore

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/schema"
)

// list is a column of texts: an array on PostgreSQL, JSON text on SQLite.
type list []string

// AppendQuery writes the column.
func (l list) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	if l == nil {
		return append(b, "NULL"...), nil
	}
	if gen.Dialect().Name() == dialect.PG {
		return gen.Dialect().AppendString(b, l.array()), nil
	}
	data, err := json.Marshal([]string(l))
	return gen.Dialect().AppendString(b, string(data)), err
}

// array writes PostgreSQL's form: {"a","b"}.
func (l list) array() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, s := range l {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		_, _ = arrayEscapes.WriteString(&b, s) // a Builder takes everything
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String()
}

var arrayEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// among is the rest of a condition that a value is one of texts. PostgreSQL reads one array faster than as many texts.
type among []string

// AppendQuery writes the rest of the condition.
func (a among) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	if gen.Dialect().Name() == dialect.PG {
		return gen.AppendQuery(b, "= ANY (?)", list(a)), nil
	}
	return gen.AppendQuery(b, "IN (?)", bun.List([]string(a))), nil
}

// Scan reads the column.
func (l *list) Scan(src any) error {
	*l = nil
	var s string
	switch v := src.(type) {
	case nil:
		return nil
	case []byte:
		s = string(v)
	case string:
		s = v
	default:
		return fmt.Errorf("cannot read %T as a list", src)
	}
	if strings.HasPrefix(s, "[") {
		return json.Unmarshal([]byte(s), (*[]string)(l))
	}
	elements, err := parseArray(s)
	*l = elements
	return err
}

// parseArray reads PostgreSQL's form of an array of one dimension without NULLs.
func parseArray(s string) ([]string, error) {
	fault := fmt.Errorf("%q is not an array of texts", s)
	body, opens := strings.CutPrefix(s, "{")
	body, closes := strings.CutSuffix(body, "}")
	if !opens || !closes {
		return nil, fault
	}
	elements := []string{}
	for body != "" {
		var element string
		var ok bool
		if element, body, ok = cutElement(body); !ok {
			return nil, fault
		}
		elements = append(elements, element)
		if body == "" {
			break
		}
		if body, ok = strings.CutPrefix(body, ","); !ok || body == "" {
			return nil, fault
		}
	}
	return elements, nil
}

// cutElement takes the first element from the body of an array, quoted or not.
func cutElement(s string) (element, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexByte(s, ',')
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], end > 0 && !strings.ContainsAny(s[:end], `"{}\`)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}
