package sqlstore

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// instant is a time column: UTC with microseconds on both databases. On SQLite it is text whose order is the
// order of time. The zero time is NULL.
type instant struct{ time.Time }

// instantLayout has a fixed width. PostgreSQL reads it as well.
const instantLayout = "2006-01-02T15:04:05.000000Z"

// at cuts a time to what the databases keep.
func at(t time.Time) instant {
	if t.IsZero() {
		return instant{}
	}
	return instant{t.UTC().Truncate(time.Microsecond)}
}

// Value writes the column.
func (i instant) Value() (driver.Value, error) {
	if i.IsZero() {
		return nil, nil //nolint:nilnil // NULL is what the zero time is
	}
	if y := i.UTC().Year(); y < 1 || y > 9999 {
		return nil, fmt.Errorf("the year %d is outside of what can be stored", y)
	}
	return i.UTC().Format(instantLayout), nil
}

// Scan reads the column.
func (i *instant) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		i.Time = time.Time{}
	case time.Time:
		i.Time = v.UTC()
	case []byte:
		return i.parse(string(v))
	case string:
		return i.parse(v)
	default:
		return fmt.Errorf("cannot read %T as a time", src)
	}
	return nil
}

func (i *instant) parse(s string) (err error) {
	i.Time, err = time.Parse(instantLayout, s)
	if err != nil { // PostgreSQL's own form, where a value passes through an expression
		i.Time, err = time.Parse("2006-01-02 15:04:05.999999-07", s)
	}
	i.Time = i.UTC()
	return err
}
