package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"strconv"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/schema"
)

// rowsPerStatement bounds the length of a statement.
const rowsPerStatement = 1000

// insertRows inserts rows, in their order. conflict is what follows, such as ON CONFLICT DO NOTHING.
func insertRows[R any](ctx context.Context, db bun.IDB, rows []R, conflict string) error {
	for chunk := range slices.Chunk(rows, rowsPerStatement) {
		r := newRowset(db, chunk)
		// WHERE tells SQLite that the ON of a conflict is none of a join.
		_, err := db.ExecContext(ctx, "INSERT INTO ? AS t (?) SELECT ? FROM ? AS r WHERE TRUE ?",
			r.table.SQLName, r.columns(), r.columns(), r, bun.Safe(conflict))
		if err != nil {
			return err
		}
	}
	return nil
}

// updateRows stores columns of rows that are there, in any order.
func updateRows[R any](ctx context.Context, db bun.IDB, rows []R, columns []string) error {
	var set []byte
	for i, column := range columns {
		if i > 0 {
			set = append(set, ", "...)
		}
		set = schema.NewQueryGen(db.Dialect()).AppendQuery(set, "?0 = r.?0", bun.Ident(column))
	}
	for chunk := range slices.Chunk(rows, rowsPerStatement) {
		r := newRowset(db, chunk)
		_, err := db.ExecContext(ctx, "UPDATE ?0 AS t SET ?1 FROM ?2 AS r WHERE t.?3 = r.?3",
			r.table.SQLName, bun.Safe(set), r, r.table.PKs[0].SQLName)
		if err != nil {
			return err
		}
	}
	return nil
}

// rowset is rows as a table that a statement reads from, with all columns of their model. PostgreSQL gets an array for each column:
// it takes longer to parse a thousand rows value by value than to look up where they belong.
type rowset struct {
	table *schema.Table
	rows  []reflect.Value
}

func newRowset[R any](db bun.IDB, rows []R) rowset {
	s := rowset{table: db.Dialect().Tables().Get(reflect.TypeFor[R]()), rows: make([]reflect.Value, len(rows))}
	for i := range rows {
		s.rows[i] = reflect.ValueOf(&rows[i]).Elem()
	}
	return s
}

// columns names those of the model, as the parts of a statement that list them.
func (s rowset) columns() bun.Safe {
	var list []byte
	for i, f := range s.table.Fields {
		if i > 0 {
			list = append(list, ", "...)
		}
		list = append(list, f.SQLName...)
	}
	return bun.Safe(list)
}

// AppendQuery writes the table.
func (s rowset) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	if gen.Dialect().Name() == dialect.PG {
		return s.appendArrays(gen, b)
	}
	return s.appendValues(gen, b)
}

// appendValues writes SQLite's form. It names the columns of VALUES by their number.
func (s rowset) appendValues(gen schema.QueryGen, b []byte) (_ []byte, err error) {
	b = append(b, "(SELECT "...)
	for i, f := range s.table.Fields {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = gen.AppendQuery(b, "? AS ?", bun.Ident("column"+strconv.Itoa(i+1)), f.SQLName)
	}
	b = append(b, " FROM (VALUES "...)
	for i, row := range s.rows {
		if i > 0 {
			b = append(b, ", "...)
		}
		separator := byte('(')
		for _, f := range s.table.Fields {
			b = append(b, separator)
			if b, err = appendField(gen, b, f, row); err != nil {
				return nil, err
			}
			separator = ','
		}
		b = append(b, ')')
	}
	return append(b, "))"...), nil
}

func (s rowset) appendArrays(gen schema.QueryGen, b []byte) (_ []byte, err error) {
	b = append(b, "(SELECT * FROM unnest("...)
	for i, f := range s.table.Fields {
		if i > 0 {
			b = append(b, ", "...)
		}
		if b, err = s.appendArray(gen, b, f); err != nil {
			return nil, err
		}
	}
	return gen.AppendQuery(b, ") AS u (?))", s.columns()), nil
}

// appendArray writes the values of one column.
func (s rowset) appendArray(gen schema.QueryGen, b []byte, f *schema.Field) (_ []byte, err error) {
	var value []byte
	b = append(b, "'{"...)
	for i, row := range s.rows {
		if i > 0 {
			b = append(b, ',')
		}
		if value, err = appendField(gen, value[:0], f, row); err != nil {
			return nil, err
		}
		b = appendElement(b, value)
	}
	b = append(b, "}'::"...)
	b = append(b, elementType(f)...)
	return append(b, "[]"...), nil
}

// appendField writes a value as SQL.
func appendField(gen schema.QueryGen, b []byte, f *schema.Field, row reflect.Value) ([]byte, error) {
	begin := len(b)
	b = f.AppendValue(gen, b, row)
	if bytes.HasPrefix(b[begin:], []byte("?!(")) { // so bun writes what cannot be written
		return nil, errors.New(string(b[begin:]))
	}
	return b, nil
}

// appendElement makes a value of SQL one of an array's literal: what was quoted once is quoted twice.
func appendElement(b, value []byte) []byte {
	text, quoted := bytes.CutPrefix(value, []byte("'"))
	if !quoted {
		return append(b, value...)
	}
	text = text[:len(text)-1]
	b = append(b, '"')
	for {
		special := bytes.IndexAny(text, `"\`)
		if special < 0 {
			break
		}
		b = append(append(b, text[:special]...), '\\', text[special])
		text = text[special+1:]
	}
	return append(append(b, text...), '"')
}

// elementType gives PostgreSQL's type for the values of a field: what the model says, or what follows from Go's type.
func elementType(f *schema.Field) string {
	if f.IndirectType == reflect.TypeFor[instant]() {
		return "TIMESTAMPTZ"
	}
	return f.CreateTableSQLType
}
